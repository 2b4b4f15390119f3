//! The engine on a real database and a clock that moves when it is told: what trades do, what survives, what is written.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod blocks;
mod events;
mod house;
mod parts;
mod person;
mod replicas;
mod retrace;
mod review;
mod several;
mod shop;
mod trades;
