//! Tokens and keys with too much power or no end.

use penstock_core::resource::Spec;

use super::{Finding, Findings};
use crate::context::Context;

pub(super) async fn check(context: &Context, found: &Findings) {
    if context.setup.same_token {
        let same = Finding::fail("tokens", "a node token is the admin token")
            .why("Whoever takes over a data plane can change everything.")
            .fix("Make another one with `openssl rand -hex 32`, and give it to the control planes and data planes as PENSTOCK_NODE_TOKEN.");
        found.tell(same).await;
    } else {
        // Weak ones do not get through the start.
        found
            .tell(Finding::ok("tokens", "long enough, and not the same"))
            .await;
    }
    let full = context.index.full();
    let (mut keys, mut endless) = (0_usize, 0_usize);
    for resource in &full.resources {
        if let Spec::Key(key) = &resource.spec
            && key.access.enabled
        {
            keys += 1;
            endless += usize::from(key.access.ends_at().is_none() && !key.access.awaits_first_use());
        }
    }
    found
        .tell(Finding::ok(
            "keys",
            format!("{keys} enabled, {endless} of them without an end"),
        ))
        .await;
}
