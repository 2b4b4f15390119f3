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
}

#[derive(Deserialize)]
struct Theirs {
    id: String,
    reference: String,
    status: String,
}

/// Compares our shipments with the sandbox's book, as JSON. Both are taken when nothing is on its way between the two.
///
/// # Errors
/// A book that cannot be read.
pub fn compare(ours: &[OurShipment], book: &str) -> Result<Vec<Discrepancy>, serde_json::Error> {
    let Book { shipments } = serde_json::from_str(book)?;
    let mut theirs: BTreeMap<&str, Vec<&Theirs>> = BTreeMap::new();
    for shipment in &shipments {
        let name = shipment.reference.rsplit_once(':').map_or(shipment.reference.as_str(), |(_, ours)| ours);
        theirs.entry(name).or_default().push(shipment);
    }
    let mut found = Vec::new();
    for our in ours {
        let at_carrier = theirs.remove(our.shipment_id.as_str()).unwrap_or_default();
        let problem = match at_carrier.as_slice() {
            [] => our.carrier_ref.is_some().then(|| "the carrier does not have it".to_owned()),
            [one] => difference(&our.status, &one.status),
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

fn difference(ours: &str, theirs: &str) -> Option<String> {
    let same = match ours {
        "requested" | "dispatched" => theirs == "created",
        _ => ours == theirs,
    };
    (!same).then(|| format!("we have it {ours}, the carrier {theirs}"))
}
