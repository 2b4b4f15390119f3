//! Auctions on a database: who may bid, what a batch of bids makes, how a lot is sold, who sees what, what is off.

mod bidding;
mod checking;
mod looking;
mod room;
mod selling;
mod verify;
