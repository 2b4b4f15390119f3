//! tmp
use mortise_types::Timestamp;
pub(crate) const SIGNATURE_HEADER: &str = "sandbox-signature";
#[derive(Debug)]
pub(crate) enum WebhookRefused { NotOurs(String), Unreadable(String), Forged }
impl std::fmt::Display for WebhookRefused { fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { Ok(()) } }
#[derive(Debug)]
pub(crate) struct Webhooks;
impl Webhooks { pub(crate) fn new(_: impl Into<Vec<u8>>) -> Self { Self }
 pub(crate) fn read(&self, _: Option<&str>, _: &[u8], _: Timestamp) -> Result<mortise_delivery::contract::TrackingEvent, WebhookRefused> { Err(WebhookRefused::Forged) } }
#[derive(Debug)]
pub(crate) struct SandboxCarrierConfig { pub(crate) url: String, pub(crate) webhook_url: String, pub(crate) deadline: std::time::Duration }
#[derive(Debug)]
pub(crate) struct SandboxCarrier;
impl SandboxCarrier { pub(crate) fn new(_: SandboxCarrierConfig) -> Result<Self, String> { Ok(Self) } }
pub(crate) type OurShipment = mortise_delivery::contract::ShipmentView;
pub(crate) struct Discrepancy { pub(crate) shipment: String, pub(crate) problem: String }
pub(crate) fn compare(_: &[OurShipment], _: &str) -> Result<Vec<Discrepancy>, serde_json::Error> { Ok(vec![]) }

impl mortise_delivery::Carrier for SandboxCarrier {
    fn dispatch<'a>(&'a self, _: &'a mortise_types::Scope, _: &'a mortise_delivery::CarrierRequest) -> futures::future::BoxFuture<'a, Result<mortise_delivery::DispatchAnswer, mortise_capability::Unanswered>> { Box::pin(async { Err(mortise_capability::Unanswered::new("x")) }) }
    fn cancel<'a>(&'a self, _: &'a mortise_types::Scope, _: &'a str) -> futures::future::BoxFuture<'a, Result<mortise_delivery::CancelAnswer, mortise_capability::Unanswered>> { Box::pin(async { Err(mortise_capability::Unanswered::new("x")) }) }
}
