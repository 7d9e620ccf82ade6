//! What commands on one existing thing take.

use crate::remote::Reason;

/// One thing, and why it is changed.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Named {
    /// Name or id; a key is user/key, or its bare name while it is unique
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) reason: Reason,
}
