//! Draws a flow so that the person who designed the trade can read it: lanes by capability, the pivot marked, undo dotted.
//! It draws what is written and proves nothing; whether the trade is safe says the checker.

mod build;
mod mermaid;
mod model;
mod svg;
mod words;

pub use build::graph;
pub use mermaid::mermaid;
pub use model::{Edge, EdgeKind, Graph, Node, NodeId, Shape};
pub use svg::svg;
