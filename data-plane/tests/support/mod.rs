//! Fakes and harnesses. A test scripts the far end step by step and asserts what the data plane did.

pub(crate) mod collector;
pub(crate) mod control_plane;
pub(crate) mod node;
pub(crate) mod resources;
pub(crate) mod spool;
pub(crate) mod tls;
