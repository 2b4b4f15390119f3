//! The ids that stand in contracts: strings that a caller or a capability chose, each its own type, so that none goes
//! where another is asked. They say nothing of whether the thing exists.

use crate::newtype::{TextProblem, check_text, string_newtype};

/// The most characters of an id.
const ID_MAX_CHARS: usize = 128;

fn check_id(text: &str) -> Result<(), TextProblem> {
    check_text(text, ID_MAX_CHARS, "the printable characters", |c| !c.is_control())
}

string_newtype!(
    /// An order, within a tenant. The caller chooses it, so that a repeated request names the same order.
    OrderId, "order/OrderId", check_id
);
string_newtype!(
    /// A line of an order, within that order.
    LineId, "order/LineId", check_id
);
string_newtype!(
    /// A customer, within a tenant.
    CustomerId, "customer/CustomerId", check_id
);
string_newtype!(
    /// An item that can be sold, within a tenant.
    Sku, "catalogue/Sku", check_id
);
string_newtype!(
    /// A place that holds stock: a store or a warehouse.
    LocationId, "inventory/LocationId", check_id
);
string_newtype!(
    /// A hold on stock.
    ReservationId, "inventory/ReservationId", check_id
);
string_newtype!(
    /// A payment: one request to pay and all that becomes of it.
    PaymentId, "payment/PaymentId", check_id
);
string_newtype!(
    /// A parcel of an order: what travels together.
    ParcelId, "delivery/ParcelId", check_id
);
string_newtype!(
    /// A parcel that a carrier has taken on.
    ShipmentId, "delivery/ShipmentId", check_id
);
string_newtype!(
    /// A warehouse's order to pick and pack a parcel.
    PickListId, "fulfilment/PickListId", check_id
);
string_newtype!(
    /// A return merchandise authorisation: what a customer gives back of an order, or no longer wants of it. Whoever asks
    /// for it chooses the id, so that a repeated request names the same one.
    RmaId, "after_sale/RmaId", check_id
);
string_newtype!(
    /// The code that a customer types to get a discount.
    CouponCode, "discount/CouponCode", check_id
);
string_newtype!(
    /// A campaign: what is sold under terms of its own, for a time.
    CampaignId, "campaign/CampaignId", check_id
);
string_newtype!(
    /// A group of buyers in a campaign.
    GroupId, "campaign/GroupId", check_id
);
string_newtype!(
    /// A buyer's place in a group.
    SeatId, "campaign/SeatId", check_id
);
string_newtype!(
    /// A fee of an order, within that order.
    FeeId, "pricing/FeeId", check_id
);
string_newtype!(
    /// An auction, within a tenant. Whoever opens it chooses it.
    AuctionId, "auction/AuctionId", check_id
);
string_newtype!(
    /// A customer's admission to an auction, with the deposit that was paid for it.
    RegistrationId, "auction/RegistrationId", check_id
);

impl LineId {
    /// The id of the line at `index` (from 0) of a request: its position from 1, as text. Every capability that sees
    /// the requested lines names them so.
    #[must_use]
    pub fn nth(index: usize) -> LineId {
        // Decimal digits always pass the check of an id.
        LineId(index.saturating_add(1).to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InvalidText;

    #[test]
    fn lines_are_named_by_position_from_one() {
        assert_eq!(LineId::nth(0), LineId::new("1").unwrap());
        assert_eq!(LineId::nth(499).as_str(), "500");
        assert_eq!(LineId::new(LineId::nth(usize::MAX).as_str()), Ok(LineId::nth(usize::MAX)));
    }

    #[test]
    fn ids_are_short_printable_texts() {
        assert_eq!(Sku::new("8000-Ä 冷").unwrap().as_str(), "8000-Ä 冷");
        assert_eq!(Sku::new("ä".repeat(128)).unwrap().as_str().len(), 256);
        let too_long =
            InvalidText { type_name: "catalogue/Sku", problem: TextProblem::TooLong { max_chars: 128 } };
        assert_eq!(Sku::new("ä".repeat(129)), Err(too_long));
        assert_eq!(Sku::new("").unwrap_err().problem, TextProblem::Empty);
        let refused = Sku::new("a\nb").unwrap_err();
        assert_eq!(
            refused.to_string(),
            r"not a valid catalogue/Sku: '\n' is not one of the printable characters"
        );
    }

    #[test]
    fn json_is_checked_on_the_way_in() {
        let id: OrderId = serde_json::from_str(r#""o-1""#).unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), r#""o-1""#);
        let refused = serde_json::from_str::<OrderId>(r#""""#).unwrap_err();
        assert!(refused.to_string().starts_with("not a valid order/OrderId: it is empty"), "{refused}");
        assert!(serde_json::from_str::<OrderId>("7").is_err());
    }

    #[test]
    fn clones_share_the_text() {
        let id = OrderId::new("o-1").unwrap();
        assert!(std::ptr::eq(id.as_str(), id.clone().as_str()));
    }

    #[test]
    fn a_map_finds_an_id_by_its_text() {
        let map = std::collections::HashMap::from([(Sku::new("a").unwrap(), 1)]);
        assert_eq!(map.get("a"), Some(&1));
    }
}
