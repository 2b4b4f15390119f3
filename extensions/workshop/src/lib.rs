//! Where extensions are written: projects from templates, the toolchains of five languages, builds, cases, figures.
//! It compiles and runs what an author has on his own machine; it binds nothing and deploys nothing.

mod bench;
mod build;
mod cases;
mod fault;
mod language;
mod program;
mod project;
mod shipped;
mod template;
mod toolchain;

pub use bench::{Figures, Quantiles, bench};
pub use build::Built;
pub use cases::{CaseFile, Ran, Update, run_all, run_one};
pub use fault::Fault;
pub use language::Language;
pub use project::Project;
pub use template::{New, create, points};
pub use toolchain::Workshop;
