//! Commands to data planes that go through the database, from the replica that was asked to one that holds a data
//! plane's stream. What they say is none of the store's business.

use uuid::Uuid;

/// A command that this replica has taken on itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeCommand {
    pub id: Uuid,
    pub request: Vec<u8>,
}

/// What a data plane said to a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAnswer {
    pub node: String,
    pub answer: Vec<u8>,
}
