//! `mortise ext ...` as types. What a command does is in `commands`.

use clap::Subcommand;

use super::desk;

#[derive(Debug, Subcommand)]
pub(crate) enum Ext {
    #[command(flatten)]
    Desk(desk::Desk),
}
