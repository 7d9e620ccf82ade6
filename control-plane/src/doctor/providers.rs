//! Providers: able to serve by what is known of them, then reached from a data plane, the way that traffic goes.

use std::sync::Arc;

use futures::stream::{self, StreamExt};
use penstock_core::health::{SetAside, Standing};
use penstock_core::id::ProviderId;
use penstock_core::provider::Provider;
use penstock_core::resource::{ProviderSpec, Resource, ResourceRef, Spec};
use penstock_core::time::UnixMs;
use penstock_proto::sync::v1::{Check, CheckOutcome, ProviderTest, TestProvider, command, command_result};

use super::{Finding, Findings};
use crate::clock;
use crate::context::Context;
use crate::sync;

/// Providers that are tried at the same time: fewer than a data plane takes.
const AT_ONCE: usize = 4;
/// For one provider.
const TIMEOUT_MS: u32 = 8_000;
/// A token that nobody could renew so shortly before its end is over soon.
const SOON_MS: i64 = 5 * 60_000;

/// What is known without asking anybody.
pub(super) async fn standing(context: &Context, found: &Findings) {
    let full = context.index.full();
    let mut any = false;
    for (id, spec) in providers(&full.resources) {
        any |= spec.provider.enabled;
        for finding in known(context, id, spec, clock::now()) {
            found.tell(finding.of(&spec.provider.name)).await;
        }
    }
    if !any {
        let none = Finding::fail("provider", "no provider is enabled")
            .why("Every call is answered with 404 or 503.")
            .fix("`penstock provider create --name N --kind anthropic --api-key -`");
        found.tell(none).await;
    }
}

/// Asks a data plane to connect to each.
pub(super) async fn reach(context: &Context, found: &Findings) {
    let full = context.index.full();
    let enabled: Vec<(ProviderId, Provider)> = providers(&full.resources)
        .filter(|(_, spec)| spec.provider.enabled && spec.credential.is_some())
        .map(|(id, spec)| (id, spec.provider.clone()))
        .collect();
    let live = context
        .store
        .live_nodes(crate::nodes::live_since(clock::now()))
        .await;
    if enabled.is_empty() || !matches!(live, Ok(1..)) {
        // The data planes' own check says that there is none.
        return;
    }
    stream::iter(enabled)
        .for_each_concurrent(AT_ONCE, async |(id, provider)| {
            let finding = ask(context, id, &provider).await;
            found.tell(finding.of(&provider.name)).await;
        })
        .await;
}

fn providers(resources: &[Arc<Resource>]) -> impl Iterator<Item = (ProviderId, &ProviderSpec)> {
    resources.iter().filter_map(|resource| {
        if let (ResourceRef::Provider(id), Spec::Provider(spec)) = (&resource.reference, &resource.spec) {
            return Some((*id, &**spec));
        }
        None
    })
}

fn known(context: &Context, id: ProviderId, spec: &ProviderSpec, now: UnixMs) -> Vec<Finding> {
    if !spec.provider.enabled {
        return Vec::new();
    }
    let mut found: Vec<Finding> = credential(spec, now).into_iter().collect();
    let state = context.fleet_states.get(id);
    for (model, entry) in &state.entries {
        let standing = entry.standing(&spec.provider.breaker, now);
        found.extend(set_aside(model, standing, &spec.provider.name));
    }
    found
}

fn credential(spec: &ProviderSpec, now: UnixMs) -> Option<Finding> {
    let name = &spec.provider.name;
    let Some(credential) = &spec.credential else {
        return Some(
            Finding::fail("credential", "has no credential that can be used")
                .why("Calls pass it over.")
                .fix(format!(
                    "`penstock provider update {name} --api-key -`, or `penstock oauth login {name}`"
                )),
        );
    };
    let renewal = credential.renewal()?;
    if renewal.stopped {
        return Some(
            Finding::fail("credential", "its access token is no longer renewed")
                .why("It serves until the token is over, then calls pass it over.")
                .fix(format!(
                    "`penstock oauth test {name}` names the step; `penstock oauth login {name}`"
                )),
        );
    }
    (renewal.expires_at.0.saturating_sub(now.0) < SOON_MS).then(|| {
        Finding::warn(
            "credential",
            format!("its access token is over at {}", renewal.expires_at),
        )
        .why("Tokens are renewed well before; this one was not.")
        .fix(format!(
            "`penstock oauth status {name}`, then `penstock oauth refresh {name}`"
        ))
    })
}

fn set_aside(model: &str, standing: Standing, name: &str) -> Option<Finding> {
    let of = if model.is_empty() {
        String::new()
    } else {
        format!(" for {model}")
    };
    let until = standing
        .until()
        .map_or_else(String::new, |until| format!(" until {until}"));
    let (level, what, why): (fn(&'static str, String) -> Finding, &str, &str) = match standing {
        Standing::Ready => return None,
        Standing::HalfOpen => (
            Finding::warn,
            "its circuit breaker is half-open",
            "One call at a time tries it.",
        ),
        Standing::Open { .. } => (
            Finding::fail,
            "its circuit breaker is open",
            "It failed several times in a row, or an operator opened it.",
        ),
        Standing::Cooling { .. } => (
            Finding::warn,
            "is cooling down",
            "It asked for rest, or is overloaded.",
        ),
        Standing::SetAside {
            why: SetAside::Credential,
            ..
        } => (
            Finding::fail,
            "its credential was refused",
            "Calls pass it over, and it is probed every 30 minutes.",
        ),
        Standing::SetAside {
            why: SetAside::Billing,
            ..
        } => (
            Finding::fail,
            "its account has no money left",
            "Calls pass it over.",
        ),
        Standing::SetAside {
            why: SetAside::NoModel,
            ..
        } => (
            Finding::warn,
            "said that it has no such model",
            "Calls for the model pass it over.",
        ),
    };
    Some(
        level("breaker", format!("{what}{of}{until}"))
            .why(why)
            .fix(format!(
                "`penstock breaker list --provider {name}` says why; `penstock provider reset {name}` ends it"
            )),
    )
}

async fn ask(context: &Context, id: ProviderId, provider: &Provider) -> Finding {
    let question = TestProvider {
        provider_id: id.to_string(),
        timeout_ms: TIMEOUT_MS,
        model: String::new(),
        free: true,
    };
    match sync::ask(context, command::Command::TestProvider(question)).await {
        Ok(answered) => match answered.result.result {
            Some(command_result::Result::ProviderTest(test)) => judge(&test, &answered.node, provider),
            Some(_) | None => untested(&answered.result.error),
        },
        Err(status) => untested(status.message()),
    }
}

fn untested(problem: &str) -> Finding {
    Finding::warn("reach", format!("was not tried: {problem}"))
        .why("Whether it can be reached is not known.")
        .fix("`penstock provider test P`")
}

fn judge(test: &ProviderTest, node: &str, provider: &Provider) -> Finding {
    let failed = |check: &Option<Check>| {
        check
            .clone()
            .filter(|check| check.outcome() == CheckOutcome::Failed)
    };
    let name = &provider.name;
    if let Some(check) = failed(&test.reachable) {
        return Finding::fail(
            "reach",
            format!("data plane {node} does not reach it: {}", check.error),
        )
        .why(way(provider))
        .fix(advice(&check.advice, name));
    }
    if let Some(check) = failed(&test.credential) {
        return Finding::fail("reach", format!("refuses the credential: {}", check.error))
            .why("Calls pass it over.")
            .fix(advice(&check.advice, name));
    }
    let took = test.reachable.as_ref().map_or(0, |check| check.took_ms);
    Finding::ok("reach", format!("data plane {node} reached it in {took} ms"))
}

/// What is on the way to it.
fn way(provider: &Provider) -> String {
    let hosts = provider.base_urls.join(", ");
    match &provider.outbound.proxy {
        Some(proxy) => format!(
            "Traffic goes to {hosts} through the proxy at {}:{}.",
            proxy.host, proxy.port
        ),
        None => format!("Traffic goes to {hosts}, without a proxy."),
    }
}

fn advice(given: &str, name: &str) -> String {
    match given {
        "" => format!("`penstock provider test {name}`"),
        given => format!(
            "{}; then `penstock provider test {name}`",
            given.trim_end_matches('.')
        ),
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::provider::ProviderKind;

    use super::*;
    use crate::doctor::Level;

    #[test]
    fn g06_a_provider_that_is_not_reached_is_a_failure_with_the_way_to_it() {
        let provider = Provider::new("main", ProviderKind::Anthropic, "https://api.example");
        let failed = Check {
            outcome: CheckOutcome::Failed.into(),
            error: "connection refused".to_owned(),
            ..Check::default()
        };
        let test = ProviderTest {
            reachable: Some(failed),
            ..ProviderTest::default()
        };
        let finding = judge(&test, "node-1", &provider);
        assert_eq!(finding.level, Level::Fail);
        assert!(finding.what.contains("refused") && finding.why.contains("https://api.example"));
        assert!(finding.fix.contains("provider test main"));
        assert_eq!(
            judge(&ProviderTest::default(), "node-1", &provider).level,
            Level::Ok
        );
    }

    #[test]
    fn g06_what_is_set_aside_says_until_when_and_how_to_end_it() {
        assert!(set_aside("", Standing::Ready, "main").is_none());
        let open = set_aside("opus", Standing::Open { until: None }, "main").unwrap();
        assert!(open.what.contains("for opus") && open.fix.contains("provider reset main"));
    }
}
