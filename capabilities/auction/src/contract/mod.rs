//! What auctions promise: their operations and events. It decides nothing.

mod bidding;
mod events;
mod looks;
mod selling;
mod terms;

use mortise_asking::{EXTENSION_REFUSED, ExtensionRefused};
use mortise_contract::{Declaration, Event, Operation};
use mortise_points::{BidCheck, Point as _};
use mortise_types::{Applied, AuctionId, CustomerId, RegistrationId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use bidding::{
    Admission, AdmissionInput, AlreadyRegistered, AssessInput, Assessed, AuctionClosed, AuctionNotOpen,
    BelowOwnMaximum, Bid, BidInput, BidObjected, BidTooLow, BidUnclear, DepositDiffers, DepositInput,
    DepositState, NotRegistered, OwnAuction, Placed, RegisterInput, Registered, RegistrationRef, Settled,
    WrongCurrency,
};
pub use events::{
    Awarded, BidPlaced, CancelRequested, Closed, Defaulted, DepositDecided, DepositDecision, Extended,
    OpenedEvent, Outbid, Sold,
};
pub use looks::{
    AuctionSummary, AuctionView, Entry, EntryKind, GetInput, ListInput, ListOutput, OfferState, OwnOffer,
    OwnPart, TimelineInput, TimelineOutput,
};
pub use selling::{AskPaymentInput, Award, Changed, ClosingTime, NotAwarded, OfferRef};
pub use terms::{
    AMOUNT_MOST, AuctionExists, AuctionRef, AuctionState, AuctionUnknown, EXTENSIONS_MOST, Extension,
    Increment, Lot, NextPrice, OFFERS_MOST, OpenInput, Opened, Terms, TermsRefused,
};

/// An auction that the shop wants to take back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestCancelInput {
    /// The auction.
    pub auction_id: AuctionId,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub reason: Option<String>,
}

/// Whether an operation that may come twice did something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AppliedOnce {
    /// Whether it did.
    pub applied: Applied,
}

pub(crate) fn declaration() -> Declaration {
    events(looks(selling(bidding(opening(Declaration::new("auction"))))))
}

fn opening(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::write::<OpenInput, Opened>("open", "Opens an auction.")
                .undo("auction.cancel", json!({"auction_id": "${ input.auction_id }"}))
                .rejects::<AuctionExists>("auction_exists")
                .rejects::<TermsRefused>("terms_refused")
                .emits("auction.opened"),
        )
        .operation(
            Operation::write::<AuctionRef, Changed>(
                "cancel",
                "Takes an open auction back, once; deposits go back.",
            )
            .nothing_to_undo()
            .emits("auction.deposit_decided"),
        )
        .operation(
            Operation::write::<RequestCancelInput, AppliedOnce>(
                "request_cancel",
                "Asks the trade to take an open auction back.",
            )
            .nothing_to_undo()
            .rejects::<AuctionUnknown>("auction_unknown")
            .rejects::<AuctionClosed>("auction_closed")
            .emits("auction.cancel_requested"),
        )
}

fn bidding(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::read::<AdmissionInput, Admission>("admission", "What it takes to be admitted.")
                .rejects::<AuctionUnknown>("auction_unknown")
                .rejects::<AuctionClosed>("auction_closed")
                .rejects::<OwnAuction>("own_auction")
                .rejects::<AlreadyRegistered>("already_registered")
                .rejects::<WrongCurrency>("wrong_currency"),
        )
        .operation(
            admits(Operation::write::<RegisterInput, Registered>(
                "register",
                "Admits a bidder where no deposit is asked.",
            ))
            .undo("auction.withdraw", json!({"registration": "${ output.registration }"})),
        )
        .operation(
            admits(Operation::write::<DepositInput, Registered>(
                "register_with_deposit",
                "Admits a bidder whose deposit is paid; it is held until the auction says what becomes of it.",
            ))
            .undo("auction.withdraw", json!({"registration": "${ output.registration }"}))
            .acquires("deposit", "registration"),
        )
        .operation(
            Operation::write::<RegistrationRef, Settled>(
                "withdraw",
                "Takes an admission back, once; bids that were placed stand.",
            )
            .nothing_to_undo()
            .releases("deposit", "registration"),
        )
        .operation(
            Operation::write::<RegistrationRef, Settled>(
                "settle_deposit",
                "Books that a deposit went where it was decided, once; one about which nothing was decided went back.",
            )
            .nothing_to_undo()
            .consumes("deposit", "registration"),
        )
        .operation(
            refuses_bids(Operation::read::<AssessInput, Assessed>(
                "assess",
                "Whether a bid is admissible as the auction stands; places nothing.",
            ))
            .opens(BidCheck::NAME)
            .rejects::<WrongCurrency>("wrong_currency")
            .rejects::<BidObjected>("bid_objected")
            .rejects::<ExtensionRefused>(EXTENSION_REFUSED),
        )
        .operation(
            refuses_bids(Operation::write::<BidInput, Placed>(
                "bid",
                "Places a bid. Bids of one auction are decided one after the other; of equal maxima the earlier leads.",
            ))
            .nothing_to_undo()
            .may_be_stale()
            .emits("auction.bid_placed")
            .emits("auction.outbid")
            .emits("auction.extended"),
        )
}

fn admits(operation: Operation) -> Operation {
    operation
        .rejects::<AuctionUnknown>("auction_unknown")
        .rejects::<AuctionClosed>("auction_closed")
        .rejects::<OwnAuction>("own_auction")
        .rejects::<AlreadyRegistered>("already_registered")
        .rejects::<DepositDiffers>("deposit_differs")
}

fn refuses_bids(operation: Operation) -> Operation {
    operation
        .rejects::<AuctionUnknown>("auction_unknown")
        .rejects::<AuctionNotOpen>("auction_not_open")
        .rejects::<AuctionClosed>("auction_closed")
        .rejects::<NotRegistered>("not_registered")
        .rejects::<OwnAuction>("own_auction")
        .rejects::<BidUnclear>("bid_unclear")
        .rejects::<BidTooLow>("bid_too_low")
        .rejects::<BelowOwnMaximum>("below_own_maximum")
}

fn selling(declared: Declaration) -> Declaration {
    declared
        .operation(Operation::read::<AuctionRef, ClosingTime>(
            "closing_time",
            "Until when bids are taken, as it stands.",
        ))
        .operation(
            Operation::write::<AuctionRef, Changed>(
                "close",
                "Lets the hammer fall when the time is up: the lot is awarded to who leads, or stays unsold.",
            )
            .nothing_to_undo()
            .emits("auction.closed")
            .emits("auction.awarded")
            .emits("auction.deposit_decided"),
        )
        .operation(
            Operation::read::<AuctionRef, Award>("award", "Who may buy now, at what price, until when.")
                .rejects::<NotAwarded>("not_awarded"),
        )
        .operation(
            Operation::write::<AskPaymentInput, AppliedOnce>(
                "ask_payment",
                "Keeps where the bidder pays, for them to read.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::write::<OfferRef, Changed>(
                "next_bidder",
                "Whose time to pay is up has lost the lot and the deposit; it is offered to the next bidder.",
            )
            .nothing_to_undo()
            .emits("auction.defaulted")
            .emits("auction.awarded")
            .emits("auction.deposit_decided"),
        )
        .operation(
            Operation::write::<OfferRef, Changed>(
                "record_paid",
                "The lot is paid; all deposits are decided.",
            )
            .nothing_to_undo()
            .emits("auction.sold")
            .emits("auction.deposit_decided"),
        )
        .operation(
            Operation::read::<AuctionRef, Award>("sale", "Who has bought and paid.")
                .rejects::<NotAwarded>("not_sold"),
        )
        .operation(
            Operation::write::<AuctionRef, Changed>(
                "pass",
                "The lot stays unsold, whoever it was offered to; deposits go back.",
            )
            .nothing_to_undo()
            .emits("auction.deposit_decided"),
        )
}

fn looks(declared: Declaration) -> Declaration {
    declared
        .operation(
            Operation::read::<GetInput, AuctionView>("get", "An auction as it stands.")
                .rejects::<AuctionUnknown>("auction_unknown"),
        )
        .operation(Operation::read::<ListInput, ListOutput>("list", "Auctions, page by page.").may_lag(2_000))
        .operation(
            Operation::read::<TimelineInput, TimelineOutput>("bids", "The bids of an auction, oldest first.")
                .rejects::<AuctionUnknown>("auction_unknown"),
        )
        .operation(
            Operation::read::<TimelineInput, TimelineOutput>(
                "timeline",
                "What happened in an auction, from a position on.",
            )
            .rejects::<AuctionUnknown>("auction_unknown"),
        )
}

fn events(declared: Declaration) -> Declaration {
    let auction = "auction_id";
    declared
        .event(Event::new::<OpenedEvent, AuctionId>("opened", auction, "Bids are taken."))
        .event(Event::new::<BidPlaced, AuctionId>("bid_placed", auction, "A bid was placed."))
        .event(Event::new::<Outbid, CustomerId>("outbid", "customer_id", "Somebody else leads now."))
        .event(Event::new::<Extended, AuctionId>("extended", auction, "A late bid moved the closing time."))
        .event(Event::new::<Closed, AuctionId>("closed", auction, "The hammer has fallen."))
        .event(Event::new::<Awarded, CustomerId>("awarded", "customer_id", "Somebody may buy the lot."))
        .event(Event::new::<Defaulted, AuctionId>("defaulted", auction, "Whose turn it was has not paid."))
        .event(Event::new::<Sold, AuctionId>("sold", auction, "The lot is sold and paid."))
        .event(Event::new::<DepositDecided, RegistrationId>(
            "deposit_decided",
            "registration",
            "What becomes of a bidder's deposit.",
        ))
        .event(Event::new::<CancelRequested, AuctionId>(
            "cancel_requested",
            auction,
            "Somebody wants an auction taken back.",
        ))
}
