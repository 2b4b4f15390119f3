//! Named text types by the name that contracts give them: a text from outside is held to its type where it enters, with its
//! place, not where an operation first reads it. Names that are not in this table are not judged.

use crate::{
    AuctionId, BusinessLine, CampaignId, Channel, CountryCode, CouponCode, Currency, CustomerId, FeeId,
    GroupId, LineId, LocationId, OrderId, ParcelId, PaymentId, PickListId, RegistrationId, ReservationId,
    RmaId, SeatId, ShipmentId, Sku, TenantId,
};

/// Whether `text` is a value of the type that contracts call `type_name`.
///
/// # Errors
/// What is wrong with it, in words.
pub fn judge_text(type_name: &str, text: &str) -> Result<(), String> {
    fn parse<T: std::str::FromStr<Err: std::fmt::Display>>(text: &str) -> Result<(), String> {
        text.parse::<T>().map(drop).map_err(|error| error.to_string())
    }
    match type_name {
        "pricing/Currency" => parse::<Currency>(text),
        "delivery/CountryCode" => parse::<CountryCode>(text),
        OrderId::TYPE_NAME => parse::<OrderId>(text),
        LineId::TYPE_NAME => parse::<LineId>(text),
        CustomerId::TYPE_NAME => parse::<CustomerId>(text),
        Sku::TYPE_NAME => parse::<Sku>(text),
        LocationId::TYPE_NAME => parse::<LocationId>(text),
        ReservationId::TYPE_NAME => parse::<ReservationId>(text),
        PaymentId::TYPE_NAME => parse::<PaymentId>(text),
        ParcelId::TYPE_NAME => parse::<ParcelId>(text),
        ShipmentId::TYPE_NAME => parse::<ShipmentId>(text),
        PickListId::TYPE_NAME => parse::<PickListId>(text),
        RmaId::TYPE_NAME => parse::<RmaId>(text),
        CouponCode::TYPE_NAME => parse::<CouponCode>(text),
        CampaignId::TYPE_NAME => parse::<CampaignId>(text),
        GroupId::TYPE_NAME => parse::<GroupId>(text),
        SeatId::TYPE_NAME => parse::<SeatId>(text),
        FeeId::TYPE_NAME => parse::<FeeId>(text),
        AuctionId::TYPE_NAME => parse::<AuctionId>(text),
        RegistrationId::TYPE_NAME => parse::<RegistrationId>(text),
        TenantId::TYPE_NAME => parse::<TenantId>(text),
        BusinessLine::TYPE_NAME => parse::<BusinessLine>(text),
        Channel::TYPE_NAME => parse::<Channel>(text),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_held_to_its_type() {
        assert_eq!(judge_text("pricing/Currency", "EUR"), Ok(()));
        assert!(judge_text("pricing/Currency", "XXQ").is_err());
        assert!(judge_text("catalogue/Sku", "").unwrap_err().contains("empty"));
        assert!(judge_text("delivery/CountryCode", "ZZ").is_err());
        assert!(judge_text("order/OrderId", "a\u{7}b").is_err());
        assert_eq!(judge_text("somebody/Else", ""), Ok(()));
    }
}
