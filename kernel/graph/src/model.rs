//! The picture as data: nodes in lanes, edges between them. How it looks is `svg`'s and `mermaid`'s.

/// A node's number: its place in [`Graph::nodes`], from above to below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub usize);

/// A drawn flow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    /// `flow:` and `version:`
    pub title: String,
    /// `summary:`
    pub summary: String,
    /// Names of the lanes, from left to right. The first is the trade's own.
    pub lanes: Vec<String>,
    /// From above to below.
    pub nodes: Vec<Node>,
    /// In the order in which they were found.
    pub edges: Vec<Edge>,
}

/// One box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// An index into [`Graph::lanes`].
    pub lane: usize,
    /// What it is.
    pub shape: Shape,
    /// What stands in it; the first line is its name.
    pub lines: Vec<String>,
    /// `when:`, if it has one.
    pub condition: Option<String>,
    /// The line of the definition; 0 for what is not written there.
    pub line: u32,
    /// The call that takes it back, drawn beside it.
    pub undo: Option<String>,
}

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Where the trade begins, or is over by itself.
    Terminal,
    /// A call that only looks.
    Look,
    /// A call that writes.
    Write,
    /// A call that leaves the database.
    Remote,
    /// A wait for an event.
    Event,
    /// A clock.
    Clock,
    /// Where ways part or meet.
    Choice,
    /// Around steps that are repeated or belong together.
    Block,
    /// The caller's answer.
    Answer,
    /// The point of no return.
    Pivot,
    /// Goes backward.
    Fail,
    /// Another flow.
    Start,
    /// An event for others, a name for a value, a word to a person.
    Note,
}

/// A line between two nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edge {
    /// From.
    pub from: NodeId,
    /// To.
    pub to: NodeId,
    /// Why this way.
    pub label: Option<String>,
    /// How it is drawn.
    pub kind: EdgeKind,
}

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeKind {
    /// The usual way.
    On,
    /// A rejection, a time that is over.
    Aside,
    /// Back to where a loop begins.
    Again,
}
