//! The sandbox's own book beside ours, for `mortise verify`: what one has and the other has not. A pure comparison;
//! whoever calls it fetches `GET /_control/book`.

use std::collections::BTreeMap;

use mortise_delivery::contract::ShipmentView;
use serde::Deserialize;

/// A shipment of ours, as `delivery.list` answers it.
pub type OurShipment = ShipmentView;

/// A place in which the two books differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discrepancy {
    /// Whose shipment.
    pub shipment: String,
    /// What differs.
    pub problem: String,
}

#[derive(Deserialize)]
struct Book {
    shipments: Vec<Theirs>,
    #[serde(default)]
    remittances: Vec<Payout>,
}

#[derive(Deserialize)]
struct Payout {
    items: Vec<PayoutItem>,
}

#[derive(Deserialize)]
struct PayoutItem {
    reference: String,
    amount: i64,
}

#[derive(Deserialize)]
struct Theirs {
    id: String,
    reference: String,
    status: String,
    #[serde(default)]
    collected: Option<i64>,
}

/// Compares our shipments with the sandbox's book, as JSON. Both are taken when nothing is on its way between the two.
///
/// # Errors
/// A book that cannot be read.
pub fn compare(ours: &[OurShipment], book: &str) -> Result<Vec<Discrepancy>, serde_json::Error> {
    let Book { shipments, remittances } = serde_json::from_str(book)?;
    let mut paid_out: BTreeMap<&str, i64> = BTreeMap::new();
    for item in remittances.iter().flat_map(|payout| &payout.items) {
        *paid_out.entry(our_name(&item.reference)).or_default() += item.amount;
    }
    let mut theirs: BTreeMap<&str, Vec<&Theirs>> = BTreeMap::new();
    for shipment in &shipments {
        theirs.entry(our_name(&shipment.reference)).or_default().push(shipment);
    }
    let mut found = Vec::new();
    for our in ours {
        let at_carrier = theirs.remove(our.shipment_id.as_str()).unwrap_or_default();
        let problem = match at_carrier.as_slice() {
            [] => our.carrier_ref.is_some().then(|| "the carrier does not have it".to_owned()),
            [one] => {
                let paid = paid_out.get(our.shipment_id.as_str()).copied().unwrap_or_default();
                difference(&our.status, &one.status).or_else(|| cash_difference(our, one, paid))
            }
            several => Some(format!("the carrier has it {} times", several.len())),
        };
        found.extend(problem.map(|problem| Discrepancy { shipment: our.shipment_id.to_string(), problem }));
    }
    for (name, shipments) in theirs {
        for shipment in shipments.iter().filter(|shipment| shipment.status != "cancelled") {
            let problem = format!(
                "the carrier has it as {} and it is {}, we do not know it",
                shipment.id, shipment.status
            );
            found.push(Discrepancy { shipment: name.to_owned(), problem });
        }
    }
    Ok(found)
}

/// Our name of a shipment, out of `parcel:shipment`.
fn our_name(reference: &str) -> &str {
    reference.rsplit_once(':').map_or(reference, |(_, ours)| ours)
}

fn cash_difference(our: &OurShipment, theirs: &Theirs, paid_out: i64) -> Option<String> {
    let (ours, collected) = (our.collected.minor(), theirs.collected.unwrap_or_default());
    if ours != collected {
        return Some(format!("we have {ours} collected for it, the carrier {collected}"));
    }
    let remitted = our.remitted.minor();
    (remitted != paid_out).then(|| format!("we have {remitted} paid out for it, the carrier {paid_out}"))
}

fn difference(ours: &str, theirs: &str) -> Option<String> {
    let same = match ours {
        "requested" | "dispatched" => theirs == "created",
        "refused_at_door" => theirs == "refused",
        _ => ours == theirs,
    };
    (!same).then(|| format!("we have it {ours}, the carrier {theirs}"))
}
