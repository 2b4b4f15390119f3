//! English auctions: who may bid, what a bid makes of the auction, when the hammer falls, who buys the lot and what becomes of
//! the deposits. It knows no stock, no order and no payment's way: flows bring the lot, sell it and move the money.

mod book;
mod checks;
pub mod contract;
mod operations;
mod policy;
mod rules;
mod store;

use std::sync::Arc;

use mortise_capability::{Capability, Policies, RejectionPage};
use mortise_contract::DeclarationError;
use mortise_points::Points;
use mortise_store::{Migration, Migrations, Role};
use mortise_types::IdSource;

use operations::{bid, bidders, close, looks, open, sale};
pub use policy::AuctionPolicy;

const MIGRATIONS: Migrations = Migrations {
    owner: "auction",
    role: Role::Capability,
    steps: &[Migration {
        version: 1,
        description: "init",
        sqlite: include_str!("../migrations/sqlite/0001_init.sql"),
        postgres: include_str!("../migrations/postgres/0001_init.sql"),
    }],
};

const PAGES: &[RejectionPage] = &[
    mortise_asking::PAGE,
    RejectionPage { code: "already_registered", page: include_str!("../rejections/already_registered.md") },
    RejectionPage { code: "auction_closed", page: include_str!("../rejections/auction_closed.md") },
    RejectionPage { code: "auction_exists", page: include_str!("../rejections/auction_exists.md") },
    RejectionPage { code: "auction_not_open", page: include_str!("../rejections/auction_not_open.md") },
    RejectionPage { code: "auction_unknown", page: include_str!("../rejections/auction_unknown.md") },
    RejectionPage { code: "below_own_maximum", page: include_str!("../rejections/below_own_maximum.md") },
    RejectionPage { code: "bid_objected", page: include_str!("../rejections/bid_objected.md") },
    RejectionPage { code: "bid_too_low", page: include_str!("../rejections/bid_too_low.md") },
    RejectionPage { code: "bid_unclear", page: include_str!("../rejections/bid_unclear.md") },
    RejectionPage { code: "deposit_differs", page: include_str!("../rejections/deposit_differs.md") },
    RejectionPage { code: "not_awarded", page: include_str!("../rejections/not_awarded.md") },
    RejectionPage { code: "not_registered", page: include_str!("../rejections/not_registered.md") },
    RejectionPage { code: "not_sold", page: include_str!("../rejections/not_sold.md") },
    RejectionPage { code: "own_auction", page: include_str!("../rejections/own_auction.md") },
    RejectionPage { code: "terms_refused", page: include_str!("../rejections/terms_refused.md") },
    RejectionPage { code: "wrong_currency", page: include_str!("../rejections/wrong_currency.md") },
];

/// The capability, choosing by `policies` and naming admissions by `ids`; `points` holds whoever answers `bid-check`.
///
/// # Errors
/// A contract outside of the language's subset.
pub fn capability(
    policies: Arc<Policies>,
    ids: Arc<dyn IdSource>,
    points: Arc<dyn Points>,
) -> Result<Capability, DeclarationError> {
    let summary = "English auctions: increments, reserve price, proxy bids, extensions, deposits.";
    Ok(Capability::new("auction", summary, contract::declaration)?
        .write("open", open::Open { policies })
        .write("cancel", open::Cancel)
        .write("request_cancel", open::RequestCancel)
        .read("admission", bidders::Admit)
        .write("register", bidders::Register { ids: Arc::clone(&ids) })
        .write("register_with_deposit", bidders::RegisterWithDeposit { ids })
        .write("withdraw", bidders::Settle::Withdraw)
        .write("settle_deposit", bidders::Settle::Book)
        .read("assess", bid::Assess { points })
        .write("bid", bid::PlaceBid)
        .read("closing_time", close::LookAtClock)
        .write("close", close::LetHammerFall)
        .write("pass", close::Pass)
        .read("award", sale::ReadOffer::ToBePaid)
        .read("sale", sale::ReadOffer::Paid)
        .write("ask_payment", sale::AskPayment)
        .write("next_bidder", sale::Outcome::NotPaid)
        .write("record_paid", sale::Outcome::Paid)
        .read("get", looks::Get)
        .read("list", looks::List)
        .read("bids", looks::Tell::Bids)
        .read("timeline", looks::Tell::Everything)
        .policy::<AuctionPolicy>()
        .migrations(MIGRATIONS)
        .book(book::BOOK)
        .check(checks::STANDINGS)
        .check(checks::SALES)
        .check(checks::DEPOSITS)
        .pages(PAGES))
}
