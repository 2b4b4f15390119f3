//! A graph as one SVG file: lanes are columns, time goes down, a row a node. Where lines run is `route`'s.

mod draw;
mod place;
mod route;

use crate::model::Graph;

/// The text of an SVG document. It needs nothing but a viewer: no script, no font, no style sheet from elsewhere.
#[must_use]
pub fn svg(graph: &Graph) -> String {
    let plan = place::Plan::of(graph);
    draw::draw(graph, &plan)
}

#[cfg(test)]
mod tests;
