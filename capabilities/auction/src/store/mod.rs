//! The auctions' rows, loaded and saved for a whole batch. It decides nothing.

mod bidders;
mod bids;
mod lots;
mod offers;

use std::fmt;

use mortise_capability::StoreError;
use mortise_types::{AuctionId, TenantId};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use bidders::{
    BidderKey, BidderRow, NewBidder, admit, bidder_of, bidders_with_held_deposit, deposits_of, load_bidders,
    set_deposits, withdraw,
};
pub(crate) use bids::{NewBid, TimelineRow, all_bids, best_bids, insert_bids, load_bids, load_timeline};
pub(crate) use lots::{
    Lot, NewEntry, insert_entries, insert_lots, load_lots, page_of_lots, save_lots, save_paddles,
};
pub(crate) use offers::{
    Asked, OfferRow, ask_payment, defaulters, insert_offers, load_offers, offers_of, set_offers,
};

/// An auction's place.
pub(crate) type LotKey = (TenantId, AuctionId);

pub(crate) fn off(problem: impl fmt::Display) -> StoreError {
    StoreError::Value(format!("auction: {problem}"))
}

pub(crate) fn written<T: Serialize>(document: &T) -> Result<String, StoreError> {
    serde_json::to_string(document).map_err(off)
}

pub(crate) fn read<T: DeserializeOwned>(document: &str) -> Result<T, StoreError> {
    serde_json::from_str(document).map_err(|error| off(format!("{error} in {document}")))
}

/// A closed set of words, as a column has them: those of the wire.
pub(crate) fn word<T: Serialize>(of: T) -> Result<String, StoreError> {
    match serde_json::to_value(of) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        Ok(other) => Err(off(format!("{other} is no word"))),
        Err(error) => Err(off(error)),
    }
}

/// The value that a word stands for.
pub(crate) fn of_word<T: DeserializeOwned>(word: &str) -> Result<T, StoreError> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(off)
}
