//! `customer_id` is filled from who is signed in, never from what was sent: a customer can act for nobody else.

use std::sync::Arc;

use mortise_contract::{Text, Value};
use mortise_fault::{Fault, codes};

use crate::caller::Caller;
use crate::edge::{CUSTOMER_FIELD, CustomerField};
use crate::problem::Problem;

/// Puts the caller into the input where the input asks for a customer. Staff act for the customer whom they name.
///
/// # Errors
/// Another customer than the caller, or none where one is needed.
pub(crate) fn fill(input: &mut Value, field: CustomerField, caller: &Caller) -> Result<(), Problem> {
    if field == CustomerField::None {
        return Ok(());
    }
    let Value::Record(record) = input else { return Ok(()) };
    let sent = record.get(CUSTOMER_FIELD);
    match (caller, sent) {
        (Caller::Staff(_), _) => Ok(()),
        (Caller::Customer(customer), Some(Value::Text(sent))) if sent.as_str() == customer.as_str() => Ok(()),
        (_, Some(_)) => Err(Fault::invalid_input(
            format!("/{CUSTOMER_FIELD}"),
            "Whose it is follows from who is signed in: leave the field out.",
        )
        .into()),
        (Caller::Customer(customer), None) => {
            Arc::make_mut(record).insert(Text::Static(CUSTOMER_FIELD), Value::from(customer.as_str()));
            Ok(())
        }
        (Caller::Nobody, None) if field == CustomerField::Required => {
            Err(Problem::of(&codes::UNAUTHENTICATED, "This is for a customer who is signed in."))
        }
        (Caller::Nobody, None) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use mortise_types::CustomerId;

    use super::*;

    #[test]
    fn nobody_acts_for_anybody_else() {
        let ada = || Caller::Customer(CustomerId::new("ada").unwrap());
        let staff = || Caller::Staff("grace".into());
        let (own, other, none) = (r#"{"customer_id":"ada"}"#, r#"{"customer_id":"bob"}"#, r#"{"a":1}"#);
        use CustomerField::{None, Optional, Required};
        for (caller, field, sent, outcome) in [
            (ada(), Required, own, Ok(own)),
            (ada(), Required, other, Err("invalid-input")),
            (ada(), Required, r#"{"customer_id":7}"#, Err("invalid-input")),
            (ada(), Optional, none, Ok(r#"{"a":1,"customer_id":"ada"}"#)),
            (ada(), None, none, Ok(none)),
            (staff(), Required, other, Ok(other)),
            (staff(), Required, none, Ok(none)),
            (Caller::Nobody, Required, none, Err("unauthenticated")),
            (Caller::Nobody, Optional, none, Ok(none)),
            (Caller::Nobody, Optional, own, Err("invalid-input")),
            (ada(), Required, "[]", Ok("[]")),
        ] {
            let mut input = mortise_contract::json(sent).unwrap();
            let filled = fill(&mut input, field, &caller).map(|()| input.to_json());
            let filled = filled.as_deref().map_err(|problem| problem.fault().code().code);
            assert_eq!(filled, outcome, "{caller:?} {field:?} {sent}");
        }
    }
}
