//! Settings that are meant for a while, or that surprise.

use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::setting::{Degraded, LimitsPolicy, Setting, UnpricedAction};
use penstock_core::time::UnixMs;

use super::{Finding, Findings};
use crate::clock;
use crate::context::Context;

pub(super) async fn check(context: &Context, found: &Findings) {
    let now = clock::now();
    let mut all: Vec<Finding> = Vec::new();
    for default in Setting::defaults() {
        let reference = ResourceRef::Setting(default.name().into());
        if let Some(resource) = context.index.get(&reference)
            && let Spec::Setting(setting) = &resource.spec
        {
            all.extend(
                of(setting, now)
                    .into_iter()
                    .map(|finding| finding.of(setting.name())),
            );
        }
    }
    if all.is_empty() {
        all.push(Finding::ok("settings", "nothing is switched off"));
    }
    for finding in all {
        found.tell(finding).await;
    }
}

fn of(setting: &Setting, now: UnixMs) -> Vec<Finding> {
    match setting {
        Setting::Limits(policy) => limits(policy, now),
        Setting::Unpriced(policy) if policy.action == UnpricedAction::Free => vec![
            Finding::warn("settings", "models without a price are free")
                .why("Budgets do not see what they cost.")
                .fix("`penstock setting set unpriced reject`, or `penstock setting reset unpriced`"),
        ],
        Setting::HttpDebug(debug) if debug.windows.iter().any(|window| window.until > now) => vec![
            Finding::warn("settings", "HTTP traffic is being written out")
                .why("It costs room and may hold what callers said.")
                .fix("`penstock debug list`, `penstock debug stop`"),
        ],
        Setting::Unpriced(_)
        | Setting::ExplainRefusals(_)
        | Setting::Routing(_)
        | Setting::ModelFallbacks(_)
        | Setting::Notifications(_)
        | Setting::SelfService(_)
        | Setting::Logging(_)
        | Setting::HttpDebug(_)
        | Setting::Retention(_)
        | Setting::Observability(_)
        | Setting::DrainedNodes(_) => Vec::new(),
    }
}

fn limits(policy: &LimitsPolicy, now: UnixMs) -> Vec<Finding> {
    let mut found = Vec::new();
    if !policy.enforced(now) {
        found.push(
            Finding::warn("settings", "limits are switched off")
                .why("Everything is counted, nothing is refused: a key can spend without end.")
                .fix("`penstock setting set limits --enabled`"),
        );
    }
    if policy.degraded == Degraded::Open {
        found.push(
            Finding::warn("settings", "without Redis everything passes")
                .why("A Redis that is away is then a way around all budgets.")
                .fix("`penstock setting set limits --degraded local`"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn d08_limits_that_are_off_are_found() {
        let off = LimitsPolicy {
            enabled: false,
            degraded: Degraded::Open,
            ..LimitsPolicy::default()
        };
        assert_eq!(limits(&off, UnixMs(1)).len(), 2);
        assert!(limits(&LimitsPolicy::default(), UnixMs(1)).is_empty());
    }
}
