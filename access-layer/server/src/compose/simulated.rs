//! The platform that worlds are simulated on: the same capabilities, wired to peers in memory, on ids and a clock that the
//! simulator gives. A new peer is an arm in `act`.

use std::sync::Arc;

use mortise_capability::{Entry, Stands};
use mortise_contract::Value;
use mortise_delivery_simulated::SimulatedCarrier;
use mortise_payment_simulated::SimulatedProvider;
use mortise_simulator::{Act, Composition, Message, Peers};
use mortise_types::{Amount, Clock, IdSource, PaymentId, ShipmentId};
use serde::Serialize;

use super::{Answering, Outside, shipped, wire};

/// What worlds are run on.
#[derive(Debug)]
pub(crate) struct Simulation {
    /// Who answers the extension points.
    pub(crate) answering: Answering,
}

impl Composition for Simulation {
    fn peers(&self, clock: Arc<dyn Clock>) -> Arc<dyn Peers> {
        Arc::new(InMemory {
            answering: self.answering.clone(),
            provider: Arc::new(SimulatedProvider::new(Arc::clone(&clock))),
            carrier: Arc::new(SimulatedCarrier::new(clock)),
        })
    }

    fn flows(&self) -> Vec<(String, String)> {
        shipped::FLOWS.iter().map(|(file, text)| ((*file).to_owned(), (*text).to_owned())).collect()
    }
}

#[derive(Debug)]
struct InMemory {
    answering: Answering,
    provider: Arc<SimulatedProvider>,
    carrier: Arc<SimulatedCarrier>,
}

impl Peers for InMemory {
    fn wire(&self, ids: Arc<dyn IdSource>) -> Result<mortise_simulator::Wired, String> {
        let outside =
            Outside { provider: Arc::clone(&self.provider) as _, carrier: Arc::clone(&self.carrier) as _ };
        let wired = wire(self.answering.points(), self.answering.own(), ids, outside)
            .map_err(|error| error.to_string())?;
        let registry = Arc::into_inner(wired.registry).ok_or("the registry is shared before it is run")?;
        Ok(mortise_simulator::Wired { registry, policies: wired.policies, bound: self.answering.bound() })
    }

    fn act(&self, action: &str, with: &Value) -> Result<Act, String> {
        use mortise_delivery_simulated::Does as Moves;
        use mortise_payment_simulated::Does as Pays;
        match action {
            "provider.pay" => self.provider(with, &Pays::Pay),
            "provider.decline" => {
                let code = text(with, "code").unwrap_or("card_declined");
                self.provider(with, &Pays::Decline(code.to_owned()))
            }
            "provider.expire" => self.provider(with, &Pays::Expire),
            "provider.refund" => {
                let amount = with.get("amount").and_then(Value::as_int).ok_or("it needs an `amount`")?;
                self.provider(with, &Pays::Refund(Amount(amount)))
            }
            "carrier.deliver" => self.carrier(with, Moves::Deliver),
            "carrier.deliver_short" => {
                let by = with.get("by").and_then(Value::as_int).ok_or("it needs a `by`")?;
                self.carrier(with, Moves::DeliverShort(Amount(by)))
            }
            "carrier.refuse" => self.carrier(with, Moves::Refuse),
            "carrier.pay_out" => self.pay_out(with),
            "carrier.pick_up" => self.carrier(with, Moves::PickUp),
            "carrier.lose" => self.carrier(with, Moves::Lose),
            "carrier.return" => self.carrier(with, Moves::Return),
            other => Err(format!(
                "no peer does `{other}`; there are provider.pay, .decline, .expire, .refund and carrier.deliver, .deliver_short, .refuse, .pay_out, .pick_up, .lose, .return"
            )),
        }
    }

    fn entries(&self) -> Vec<Entry> {
        let held = self.provider.held().into_iter().filter(|held| !held.amount.is_zero());
        let entry = |held: mortise_payment_simulated::Held| Entry {
            tenant: held.scope.tenant.as_str().to_owned(),
            owner: held.order_id.as_str().to_owned(),
            account: "provider_balance".to_owned(),
            amount: held.amount.minor(),
            currency: Some(held.currency.code().to_owned()),
            stands: Stands::ForGood,
        };
        held.map(entry).collect()
    }
}

impl InMemory {
    fn provider(&self, with: &Value, does: &mortise_payment_simulated::Does) -> Result<Act, String> {
        let payment = text(with, "payment_id").ok_or("it needs a `payment_id`")?;
        let payment = PaymentId::new(payment).map_err(|error| error.to_string())?;
        match self.provider.act(&payment, does) {
            Some(did) => {
                Ok(Act { said: did.said, messages: messages("payment.record_provider_event", did.tells)? })
            }
            None => Err(format!("the provider knows of no payment {payment}")),
        }
    }

    fn carrier(&self, with: &Value, does: mortise_delivery_simulated::Does) -> Result<Act, String> {
        let shipment = text(with, "shipment_id").ok_or("it needs a `shipment_id`")?;
        let shipment = ShipmentId::new(shipment).map_err(|error| error.to_string())?;
        match self.carrier.act(&shipment, does) {
            Some(did) => {
                Ok(Act { said: did.said, messages: messages("delivery.record_tracking_event", did.tells)? })
            }
            None => Err(format!("the carrier has no parcel {shipment}")),
        }
    }
}

impl InMemory {
    fn pay_out(&self, with: &Value) -> Result<Act, String> {
        let shipment = text(with, "shipment_id").ok_or("it needs a `shipment_id`")?;
        let shipment = ShipmentId::new(shipment).map_err(|error| error.to_string())?;
        let kept = Amount(with.get("kept").and_then(Value::as_int).unwrap_or_default());
        match self.carrier.pay_out(&shipment, kept) {
            Some(payouts) => {
                let said = if payouts.is_empty() { "in vain: nothing was collected" } else { "paid out" };
                let messages = messages("delivery.record_remittance", payouts)?;
                Ok(Act { said: said.to_owned(), messages })
            }
            None => Err(format!("the carrier has no parcel {shipment}")),
        }
    }
}

fn text<'v>(with: &'v Value, name: &str) -> Option<&'v str> {
    with.get(name).and_then(Value::as_str)
}

fn messages(
    operation: &str,
    events: impl IntoIterator<Item = impl Serialize>,
) -> Result<Vec<Message>, String> {
    let message = |event| {
        let input = mortise_contract::to_value(&event).map_err(|error| error.to_string())?;
        Ok(Message { operation: operation.to_owned(), input })
    };
    events.into_iter().map(message).collect()
}
