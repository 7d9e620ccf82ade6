//! A provider's state as operators see it: one line for the provider, one for each model of which something is in force.

use std::sync::Arc;

use penstock_core::health::change::What;
use penstock_core::health::state::WHOLE;
use penstock_core::health::{Circuit, Entry, Mark, Phase, SetAside, Standing, State};
use penstock_core::id::ProviderId;
use penstock_core::provider::{BreakerSettings, Provider};
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;

pub(super) const CLOSED: &str = "closed";

/// Who said what, when, and why.
type Said<'a> = (&'static str, UnixMs, &'a Arc<str>, &'a Arc<str>);

pub(super) fn breakers(
    id: ProviderId,
    provider: &Provider,
    state: &State,
    now: UnixMs,
) -> Vec<wire::Breaker> {
    let settings = &provider.breaker;
    let nothing = Entry::default();
    let whole = (WHOLE, state.entry(WHOLE).unwrap_or(&nothing));
    let models = state.entries.iter().map(|(model, entry)| (&**model, entry));
    let models =
        models.filter(|(model, entry)| *model != WHOLE && entry.standing(settings, now) != Standing::Ready);
    let line = |(model, entry): (&str, &Entry)| {
        let standing = entry.standing(settings, now);
        let said = said(entry, standing, settings, now);
        wire::Breaker {
            provider_id: id.to_string(),
            provider: provider.name.clone(),
            model: model.to_owned(),
            state: said.map_or(CLOSED, |said| said.0).to_owned(),
            why: said.map(|said| said.3.to_string()).unwrap_or_default(),
            until_ms: standing.until().map(|until| until.0),
            since_ms: said.map(|said| said.1.0),
            failures_to_open: if settings.is_on() { settings.failures } else { 0 },
            by: said.map(|said| said.2.to_string()).unwrap_or_default(),
        }
    };
    std::iter::once(whole).chain(models).map(line).collect()
}

/// Of the fact that makes the standing; of one that is ready, the circuit's last move. None: nothing ever happened.
fn said<'a>(
    entry: &'a Entry,
    standing: Standing,
    settings: &BreakerSettings,
    now: UnixMs,
) -> Option<Said<'a>> {
    match standing {
        Standing::Ready | Standing::HalfOpen | Standing::Open { .. } => {
            let word = match entry.phase(settings, now) {
                Phase::Closed => CLOSED,
                Phase::HalfOpen => "half_open",
                Phase::Open { .. } => "open",
            };
            let mark = entry.circuit.as_ref()?;
            let forced = matches!(mark.value, Circuit::Forced { .. }) && word == "open";
            Some(of(mark, if forced { "forced_open" } else { word }))
        }
        Standing::Cooling { .. } => Some(of(entry.cooling.as_ref()?, "cooling")),
        Standing::SetAside { why, .. } => match why {
            SetAside::Credential => {
                let mark = entry.credential.as_ref()?;
                Some(of(mark, What::Credential(mark.value).as_str()))
            }
            SetAside::Billing => Some(of(entry.billing.as_ref()?, "billing")),
            SetAside::NoModel => Some(of(entry.no_model.as_ref()?, "no_model")),
        },
    }
}

fn of<'a, T>(mark: &'a Mark<T>, word: &'static str) -> Said<'a> {
    (word, mark.at, &mark.by, &mark.why)
}

#[cfg(test)]
mod tests {
    use penstock_core::health::cooling::Cooling;
    use penstock_core::health::credential::Credential;
    use penstock_core::health::mark::Maker;
    use penstock_core::provider::ProviderKind;

    use super::*;

    const NOW: UnixMs = UnixMs(1_800_000_000_000);

    fn lines(state: &State) -> Vec<wire::Breaker> {
        let provider = Provider::new("main", ProviderKind::Anthropic, "http://127.0.0.1:1");
        breakers(ProviderId::from_parts(1, &[1; 10]), &provider, state, NOW)
    }

    #[test]
    fn b08_a_provider_of_which_nothing_is_known_is_closed() {
        let lines = lines(&State::default());
        assert_eq!(
            (lines.len(), lines[0].state.as_str(), lines[0].since_ms),
            (1, "closed", None)
        );
        assert_eq!(lines[0].failures_to_open, 5);
    }

    #[test]
    fn b08_what_lasts_longest_is_told_with_who_and_why() {
        let mut state = State::default();
        let maker = |why| Maker {
            by: "node-1",
            why,
            now: NOW,
        };
        let whole = state.entry_mut(WHOLE).unwrap();
        let until = NOW.plus_ms(1_000);
        maker("five").mark(&mut whole.circuit, Circuit::Open { until });
        maker("revoked").mark(&mut whole.credential, Credential::Revoked);
        let model = state.entry_mut("opus").unwrap();
        let cooling = Cooling {
            until,
            stated: true,
            guesses: 0,
        };
        maker("429").mark(&mut model.cooling, cooling);
        maker("").mark(&mut state.entry_mut("well").unwrap().circuit, Circuit::Closed);
        let lines = lines(&state);
        let told: Vec<_> = lines
            .iter()
            .map(|it| (it.model.as_str(), it.state.as_str(), it.why.as_str(), it.until_ms))
            .collect();
        assert_eq!(
            told,
            [
                ("", "credential_revoked", "revoked", None),
                ("opus", "cooling", "429", Some(until.0)),
            ]
        );
        assert_eq!(lines[0].by, "node-1");
    }
}
