//! The point `order-split` 1.0 for Rust: its trait, its plain types, and the bridge to the WIT world.
//! What the fields mean stands in the point's WIT file.

use crate::{Answer, attribute, read_config};

#[doc(hidden)]
pub mod world {
    wit_bindgen::generate!({
        path: "../../points/order-split/wit/1.0",
        world: "order-split",
        pub_export_macro: true,
        export_macro_name: "__export_order_split",
        default_bindings_module: "mortise_extension::order_split::world",
        additional_derives: [Clone, PartialEq],
    });
}

pub use world::exports::mortise::order_split::splitting::{Attribute, Item, Order, Parcel, Part, Plan};

/// What of an order travels together.
pub trait OrderSplit {
    /// What a binding may set; `serde_json::Value` if it is free.
    type Config: serde::de::DeserializeOwned;

    /// How every unit of the order travels; none: no opinion.
    ///
    /// # Errors
    /// Why there is no answer; the binding says whether the trade is then refused or goes on without it.
    fn split(config: &Self::Config, order: &Order) -> Answer<Option<Plan>>;
}

impl Order {
    /// A parcel for each location and group of items, in the order in which they occur.
    #[must_use]
    pub fn parcels_by<K: PartialEq>(&self, group: impl Fn(&Item) -> K) -> Vec<Parcel> {
        let mut parcels: Vec<(K, Parcel)> = Vec::new();
        for item in &self.items {
            let part = Part { line_id: item.line_id.clone(), quantity: item.quantity };
            let key = group(item);
            let same =
                parcels.iter_mut().find(|(known, parcel)| *known == key && parcel.location == item.location);
            match same {
                Some((_, parcel)) => parcel.parts.push(part),
                None => {
                    parcels.push((key, Parcel { location: item.location.clone(), parts: vec![part] }));
                }
            }
        }
        parcels.into_iter().map(|(_, parcel)| parcel).collect()
    }
}

impl Item {
    /// A SKU attribute that the manifest asks for.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        attribute(self.attributes.iter().map(|a| (a.name.as_str(), a.value.as_str())), name)
    }
}

#[doc(hidden)]
pub struct Exported<T>(core::marker::PhantomData<T>);

impl<T: OrderSplit> world::exports::mortise::order_split::splitting::Guest for Exported<T> {
    fn split(config: String, order: Order) -> Answer<Option<Plan>> {
        T::split(&read_config(&config)?, &order)
    }
}
