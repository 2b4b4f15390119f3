//! What a capability has on its books: who has how much of what. The simulator shows how the books move, and holds every
//! trade to them when it is over. It books nothing: the rows are the capability's.

use futures::future::LocalBoxFuture;
use mortise_store::{Reader, StoreError};

/// How long an entry may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// While its owner's trade is open: reserved stock, a refund that is on its way. Nothing of it is left when the trade is
    /// over, however it ended.
    WhileOpen,
    /// For good, if the trade went forward: money that was taken, a coupon that was used. Nothing of it is left when the trade
    /// has failed.
    ForGood,
}

/// What somebody has on one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose data it is.
    pub tenant: String,
    /// Who has it, as the flow names it: an order, the holder of a reservation. Empty: the shop itself.
    pub owner: String,
    /// `tea at berlin, reserved`, `order_funds`, `coupon WELCOME5`.
    pub account: String,
    /// How much; money in minor units.
    pub amount: i64,
    /// Of money: its currency.
    pub currency: Option<String>,
    /// How long it may stand.
    pub stands: Stands,
}

/// What a book says.
pub type Entries<'a> = LocalBoxFuture<'a, Result<Vec<Entry>, StoreError>>;

/// One book of a capability, all tenants in it. An account on which an owner has nothing may be left out.
#[derive(Clone, Copy)]
pub struct Book {
    /// What is counted: `stock`, `money`, `coupons`.
    pub name: &'static str,
    /// Reads it.
    pub run: for<'a> fn(&'a Reader<'a>) -> Entries<'a>,
}

impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Book").field(&self.name).finish()
    }
}
