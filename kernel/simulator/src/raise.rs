//! Events that no operation writes: a script brings them about by a flow of one step, made of the event's contract.

use mortise_contract::Contracts;

/// The name of the flow that writes an event.
pub(crate) fn flow_name(event: &str) -> String {
    format!("world-writes-{}", event.replace(['.', '_'], "-"))
}

/// The flow that writes an event; none if nothing declares the event.
pub(crate) fn flow(event: &str, contracts: &Contracts) -> Option<(String, String)> {
    let payload = serde_json::to_string(&contracts.events.get(event)?.payload).ok()?;
    let name = flow_name(event);
    let text = format!(
        "flow: {name}\nversion: 1\nsummary: The world writes {event}.\ninternal: true\ninput: {{type: object, required: [payload], properties: \
         {{payload: {payload}}}}}\nsteps:\n  - emit: {event}\n    with: ${{ input.payload }}\n"
    );
    Some((name, text))
}
