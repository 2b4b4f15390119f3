//! What campaigns promise: their operations and events. It decides nothing.

mod groups;
mod terms;

use mortise_contract::{Declaration, Event, Operation};
use mortise_types::GroupId;
use serde_json::json;

pub use groups::{
    AlreadyIn, GroupClosed, GroupCondition, GroupFull, GroupMeant, GroupNews, GroupOpened, GroupSettled,
    GroupUnknown, GroupView, GroupWithSeats, GroupsInput, GroupsOutput, OpenGroupInput, SeatCondition,
    SeatMeant, SeatSettled, SeatTaken, SeatUnavailable, SeatView, TakeSeatInput,
};
pub use terms::{
    AllotmentExhausted, AlreadyTaken, Campaign, CampaignClosed, CampaignInvalid, CampaignMeant,
    CampaignState, CampaignUnknown, CampaignView, ClosedReason, DefineInput, Defined, DepositTerms,
    DepositTermsView, EnterInput, Entered, ExhaustedFor, GroupTerms, Item, ItemView, NoSuchTerms,
    NotInCampaign, ReturnAllotmentInput, Returned, TakeAllotmentInput, Taken,
};

pub(crate) const CAMPAIGN_UNKNOWN: &str = "campaign_unknown";
pub(crate) const CAMPAIGN_CLOSED: &str = "campaign_closed";
pub(crate) const CAMPAIGN_INVALID: &str = "campaign_invalid";
pub(crate) const NOT_IN_CAMPAIGN: &str = "not_in_campaign";
pub(crate) const NO_SUCH_TERMS: &str = "no_such_terms";
pub(crate) const ALLOTMENT_EXHAUSTED: &str = "allotment_exhausted";
pub(crate) const ALREADY_TAKEN: &str = "already_taken";
pub(crate) const GROUP_UNKNOWN: &str = "group_unknown";
pub(crate) const GROUP_FULL: &str = "group_full";
pub(crate) const GROUP_CLOSED: &str = "group_closed";
pub(crate) const ALREADY_IN: &str = "already_in";
pub(crate) const SEAT_UNAVAILABLE: &str = "seat_unavailable";

pub(crate) fn declaration() -> Declaration {
    with_groups(with_allotments(Declaration::new("campaign")))
}

fn with_allotments(declaration: Declaration) -> Declaration {
    declaration
        .operation(
            Operation::write::<DefineInput, Defined>("define", "Defines campaigns, or defines them anew.")
                .nothing_to_undo()
                .rejects::<CampaignInvalid>(CAMPAIGN_INVALID),
        )
        .operation(
            Operation::read::<EnterInput, Entered>(
                "enter",
                "Whether a customer may buy this in a campaign now, and by whose prices.",
            )
            .rejects::<CampaignUnknown>(CAMPAIGN_UNKNOWN)
            .rejects::<CampaignClosed>(CAMPAIGN_CLOSED)
            .rejects::<NotInCampaign>(NOT_IN_CAMPAIGN)
            .rejects::<AllotmentExhausted>(ALLOTMENT_EXHAUSTED),
        )
        .operation(
            Operation::read::<CampaignMeant, DepositTermsView>(
                "deposit_terms",
                "What is paid early in a campaign, what it counts, and when the balance is due.",
            )
            .rejects::<CampaignUnknown>(CAMPAIGN_UNKNOWN)
            .rejects::<NoSuchTerms>(NO_SUCH_TERMS),
        )
        .operation(
            Operation::write::<TakeAllotmentInput, Taken>(
                "take_allotment",
                "Takes units of a campaign's allotment, all or none.",
            )
            .undo(
                "campaign.return_allotment",
                json!({ "holder": "${ input.holder }", "campaign": "${ input.campaign }" }),
            )
            .rejects::<CampaignUnknown>(CAMPAIGN_UNKNOWN)
            .rejects::<CampaignClosed>(CAMPAIGN_CLOSED)
            .rejects::<NotInCampaign>(NOT_IN_CAMPAIGN)
            .rejects::<AllotmentExhausted>(ALLOTMENT_EXHAUSTED)
            .rejects::<AlreadyTaken>(ALREADY_TAKEN),
        )
        .operation(
            Operation::write::<ReturnAllotmentInput, Returned>(
                "return_allotment",
                "Gives back what a holder has taken, once.",
            )
            .nothing_to_undo(),
        )
        .operation(
            Operation::read::<CampaignMeant, CampaignView>("get", "A campaign, and what it has given out.")
                .may_lag(2_000)
                .rejects::<CampaignUnknown>(CAMPAIGN_UNKNOWN),
        )
}

fn with_groups(declaration: Declaration) -> Declaration {
    let seat = "seat";
    let of_output = json!({ "seat_id": "${ output.seat_id }" });
    declaration
        .operation(
            Operation::write::<OpenGroupInput, GroupOpened>("open_group", "Opens a group for others to join.")
                .undo("campaign.abandon_group", json!({ "group_id": "${ output.group_id }" }))
                .rejects::<CampaignUnknown>(CAMPAIGN_UNKNOWN)
                .rejects::<CampaignClosed>(CAMPAIGN_CLOSED)
                .rejects::<NoSuchTerms>(NO_SUCH_TERMS),
        )
        .operation(
            Operation::write::<GroupMeant, GroupSettled>(
                "abandon_group",
                "Closes a group in which nobody has a seat; one in which somebody has stays open.",
            )
            .nothing_to_undo()
            .emits("campaign.group_expired"),
        )
        .operation(
            Operation::write::<TakeSeatInput, SeatTaken>("take_seat", "Takes a seat in a group.")
                .undo("campaign.return_seat", of_output)
                .rejects::<GroupUnknown>(GROUP_UNKNOWN)
                .rejects::<GroupFull>(GROUP_FULL)
                .rejects::<GroupClosed>(GROUP_CLOSED)
                .rejects::<AlreadyIn>(ALREADY_IN)
                .acquires(seat, "seat_id"),
        )
        .operation(
            Operation::write::<SeatMeant, SeatSettled>("return_seat", "Gives a seat back, once.")
                .releases(seat, "seat_id")
                .nothing_to_undo(),
        )
        .operation(
            Operation::write::<SeatMeant, SeatSettled>(
                "confirm_seat",
                "A held seat counts; the last one fills its group.",
            )
            .consumes(seat, "seat_id")
            .undo("campaign.unconfirm_seat", json!({ "seat_id": "${ input.seat_id }" }))
            .rejects::<GroupClosed>(GROUP_CLOSED)
            .rejects::<SeatUnavailable>(SEAT_UNAVAILABLE)
            .emits("campaign.group_filled"),
        )
        .operation(
            Operation::write::<SeatMeant, SeatSettled>("unconfirm_seat", "A confirmed seat is held again.")
                .nothing_to_undo(),
        )
        .operation(
            Operation::write::<GroupMeant, GroupSettled>(
                "settle_group",
                "Says what a group has come to. From its closing time on this is final, and the same for all who ask.",
            )
            .nothing_to_undo()
            .rejects::<GroupUnknown>(GROUP_UNKNOWN)
            .emits("campaign.group_expired"),
        )
        .operation(
            Operation::read::<GroupMeant, GroupWithSeats>("get_group", "A group and its seats.")
                .rejects::<GroupUnknown>(GROUP_UNKNOWN),
        )
        .operation(Operation::read::<GroupsInput, GroupsOutput>(
            "open_groups",
            "The groups of a campaign that can be joined, the first to close first.",
        ))
        .event(Event::new::<GroupNews, GroupId>("group_filled", "group_id", "All seats of a group are confirmed."))
        .event(Event::new::<GroupNews, GroupId>(
            "group_expired",
            "group_id",
            "A group was not filled when its time was up.",
        ))
}
