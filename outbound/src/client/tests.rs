//! What tests of other files need.

use super::*;

impl Connections {
    /// The way to a target, without a pool.
    pub(crate) fn dial_for_tests(&self) -> Dial {
        let tls = trusting(public_roots()).unwrap();
        self.dial(&tls).unwrap()
    }
}
