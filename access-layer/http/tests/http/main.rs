//! The access layer as its callers meet it: bytes in, status, headers and bytes out.

mod describe;
mod drain;
mod follow;
mod garbage;
mod hooks;
mod house;
mod idempotency;
mod money;
mod operations;
mod reads;
mod till;
mod trades;
