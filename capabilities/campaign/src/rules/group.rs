//! A group and its seats. A seat is held when its buyer orders and confirmed when the money is there; the last confirmed
//! one fills the group. A filled group stays filled, an expired one expired: all of its members are told the same.

use mortise_types::{CampaignId, CustomerId, GroupId, SeatId, Timestamp};

use crate::contract::{GroupCondition, SeatCondition};

/// A group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Group {
    pub(crate) group_id: GroupId,
    pub(crate) campaign: CampaignId,
    pub(crate) condition: GroupCondition,
    pub(crate) size: i64,
    pub(crate) held: i64,
    pub(crate) confirmed: i64,
    pub(crate) opened_at: Timestamp,
    pub(crate) closes_at: Timestamp,
}

/// A seat of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) seat_id: SeatId,
    pub(crate) group_id: GroupId,
    pub(crate) customer_id: CustomerId,
    pub(crate) holder: String,
    pub(crate) condition: SeatCondition,
    pub(crate) taken_at: Timestamp,
}

/// Why a seat is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotTaken {
    Full,
    Closed,
}

/// What the confirming of a seat came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirmed {
    /// It counts now.
    Now,
    /// It counts now, and was the last one.
    Filled,
    /// It counted.
    Already,
    /// The group's time is up.
    Closed,
    /// It is not held.
    Unavailable,
}

impl Group {
    fn is_over(&self, now: Timestamp) -> bool {
        self.condition != GroupCondition::Open || now >= self.closes_at
    }

    /// Takes one of the seats that are left.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), NotTaken> {
        if self.condition == GroupCondition::Filled {
            return Err(NotTaken::Full);
        }
        if self.is_over(now) {
            return Err(NotTaken::Closed);
        }
        if self.held.saturating_add(self.confirmed) >= self.size {
            return Err(NotTaken::Full);
        }
        self.held = self.held.saturating_add(1);
        Ok(())
    }

    /// A held seat counts.
    pub(crate) fn confirm(&mut self, seat: &mut Seat, now: Timestamp) -> Confirmed {
        match seat.condition {
            SeatCondition::Confirmed => return Confirmed::Already,
            SeatCondition::Held if self.is_over(now) => return Confirmed::Closed,
            SeatCondition::Held => {}
            SeatCondition::Returned | SeatCondition::Unknown => return Confirmed::Unavailable,
        }
        seat.condition = SeatCondition::Confirmed;
        self.held = self.held.saturating_sub(1);
        self.confirmed = self.confirmed.saturating_add(1);
        if self.confirmed < self.size {
            return Confirmed::Now;
        }
        self.condition = GroupCondition::Filled;
        Confirmed::Filled
    }

    /// A confirmed seat is held again. Whether it did something.
    pub(crate) fn unconfirm(&mut self, seat: &mut Seat) -> bool {
        let confirmed = seat.condition == SeatCondition::Confirmed;
        if confirmed {
            seat.condition = SeatCondition::Held;
            self.confirmed = self.confirmed.saturating_sub(1);
            self.held = self.held.saturating_add(1);
        }
        confirmed
    }

    /// A live seat is given back. Whether it did something.
    pub(crate) fn give_back(&mut self, seat: &mut Seat) -> bool {
        match seat.condition {
            SeatCondition::Held => self.held = self.held.saturating_sub(1),
            SeatCondition::Confirmed => self.confirmed = self.confirmed.saturating_sub(1),
            SeatCondition::Returned | SeatCondition::Unknown => return false,
        }
        seat.condition = SeatCondition::Returned;
        true
    }

    /// Closes it if its time is up. Whether that expired it.
    pub(crate) fn settle(&mut self, now: Timestamp) -> bool {
        let expires = self.condition == GroupCondition::Open && now >= self.closes_at;
        if expires {
            self.condition = GroupCondition::Expired;
        }
        expires
    }

    /// Closes it if nobody has a seat. Whether that expired it.
    pub(crate) fn abandon(&mut self) -> bool {
        let nobody = self.held == 0 && self.confirmed == 0;
        let expires = self.condition == GroupCondition::Open && nobody;
        if expires {
            self.condition = GroupCondition::Expired;
        }
        expires
    }
}
