//! The binary from outside, as people and other programs meet it: real processes, free ports, data directories of their own.

mod capability;
mod crash;
mod demo;
mod flow;
mod import;
mod serve;
mod support;
mod verify;
