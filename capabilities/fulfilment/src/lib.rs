//! Fulfilment: what a warehouse is asked to pack, and how far it is. It holds no stock, and knows no carrier.

mod book;
mod checks;
pub mod contract;
mod operations;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::{Capability, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_store::{Migration, Migrations, Role};
use mortise_types::IdSource;

use rules::Word;

const MIGRATIONS: Migrations = Migrations {
    owner: "fulfilment",
    role: Role::Capability,
    steps: &[
        Migration {
            version: 1,
            description: "init",
            sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
            postgres: include_str!("../migrations/postgres/0001_init.sql"),
        },
        Migration {
            version: 2,
            description: "stop",
            sqlite: include_str!("../migrations/sqlite/0002_stop.sql"),
            postgres: include_str!("../migrations/postgres/0002_stop.sql"),
        },
    ],
};

const PAGES: &[RejectionPage] = &[
    RejectionPage { code: "pick_list_unknown", page: include_str!("../rejections/pick_list_unknown.md") },
    RejectionPage { code: "pick_list_cancelled", page: include_str!("../rejections/pick_list_cancelled.md") },
    RejectionPage { code: "not_packed", page: include_str!("../rejections/not_packed.md") },
];

/// The capability, naming pick lists by `ids`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(ids: Arc<dyn IdSource>) -> Result<Capability, DeclarationError> {
    let summary = "Pick lists: requested, packed, handed over.";
    Ok(Capability::new("fulfilment", summary, contract::declaration)?
        .write("request", operations::Request { ids })
        .write("pack", operations::Say(Word::Pack))
        .write("hand_over", operations::Say(Word::HandOver))
        .write("cancel", operations::Say(Word::Cancel))
        .write("stop", operations::Stop)
        .write("resume", operations::Resume)
        .read("list", operations::List)
        .migrations(MIGRATIONS)
        .check(checks::PACKED_ONCE)
        .check(checks::PICK_LISTS)
        .book(book::BOOK)
        .pages(PAGES))
}
