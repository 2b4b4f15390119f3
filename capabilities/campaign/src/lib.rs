//! Campaigns: what is sold under terms of its own, for a time. It counts allotments, so that nothing is given twice, and
//! the seats of groups of buyers. It knows no trade, no price, no stock and no money: flows bring those together.

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

use operations::{allotments, define, groups, looks, seats};

const MIGRATIONS: Migrations = Migrations {
    owner: "campaign",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "init",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../migrations/postgres/0001_init.sql"),
    }],
};

macro_rules! pages {
    ($($code:literal),+ $(,)?) => {
        &[$(RejectionPage { code: $code, page: include_str!(concat!("../rejections/", $code, ".md")) }),+]
    };
}

const PAGES: &[RejectionPage] = pages![
    "campaign_unknown",
    "campaign_closed",
    "campaign_invalid",
    "not_in_campaign",
    "no_such_terms",
    "allotment_exhausted",
    "already_taken",
    "group_unknown",
    "group_full",
    "group_closed",
    "already_in",
    "seat_unavailable",
];

/// The capability. Its ids come from `ids`.
///
/// # Errors
/// A contract outside of the language's subset; held by this crate's tests.
pub fn capability(ids: Arc<dyn IdSource>) -> Result<Capability, DeclarationError> {
    let summary = "Campaigns: periods, allotments that are never oversold, groups with seats.";
    Ok(Capability::new("campaign", summary, contract::declaration)?
        .write("define", define::Define)
        .read("enter", looks::Enter)
        .read("deposit_terms", looks::DepositTermsOf)
        .write("take_allotment", allotments::TakeAllotment)
        .write("return_allotment", allotments::ReturnAllotment)
        .read("get", looks::Get)
        .write("open_group", groups::OpenGroup { ids: Arc::clone(&ids) })
        .write("abandon_group", groups::AbandonGroup)
        .write("take_seat", seats::TakeSeat { ids })
        .write("return_seat", seats::ReturnSeat)
        .write("confirm_seat", seats::ConfirmSeat)
        .write("unconfirm_seat", seats::UnconfirmSeat)
        .write("settle_group", groups::SettleGroup)
        .read("get_group", groups::GetGroup)
        .read("open_groups", groups::OpenGroups)
        .migrations(MIGRATIONS)
        .check(checks::ALLOTMENTS)
        .check(checks::GROUPS)
        .book(book::BOOK)
        .pages(PAGES))
}
