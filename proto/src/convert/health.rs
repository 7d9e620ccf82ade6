//! What the fleet knows of providers.

use std::collections::BTreeMap;

use penstock_core::health::cooling::Cooling;
use penstock_core::health::credential::Credential;
use penstock_core::health::headroom::Level;
use penstock_core::health::state::{Aside, MAX_MODEL_NAME, MAX_MODELS, Probes};
use penstock_core::health::{Circuit, Entry, Mark, Room, State};
use penstock_core::id::ProviderId;
use penstock_core::invalid::Invalid;
use penstock_core::time::UnixMs;

use super::{id, required};
use crate::fleet::v1 as wire;

/// Longer names and texts are nobody's.
const MAX_TEXT: usize = 1_000;

/// Writes a state.
pub fn provider_state_to_wire(provider: ProviderId, state: &State) -> wire::ProviderState {
    let entry = |(model, entry): (&std::sync::Arc<str>, &Entry)| wire::EntryState {
        model: model.to_string(),
        circuit: entry.circuit.as_ref().map(circuit_to_wire),
        cooling: entry.cooling.as_ref().map(|mark| wire::CoolingState {
            mark: Some(mark_to_wire(mark)),
            until_ms: mark.value.until.0,
            stated: mark.value.stated,
            guesses: mark.value.guesses,
        }),
        credential: entry.credential.as_ref().map(credential_to_wire),
        billing: entry.billing.as_ref().map(aside_to_wire),
        no_model: entry.no_model.as_ref().map(aside_to_wire),
        headroom: entry.headroom.as_ref().map(room_to_wire),
        probes: entry.probes.as_ref().map(|mark| wire::ProbesState {
            mark: Some(mark_to_wire(mark)),
            failures: mark.value.failures,
            next_ms: mark.value.next.0,
        }),
    };
    wire::ProviderState {
        provider_id: provider.to_string(),
        generation: state.generation,
        entries: state.entries.iter().map(entry).collect(),
    }
}

/// Reads a state, and whose it is.
pub fn provider_state_from_wire(state: wire::ProviderState) -> Result<(ProviderId, State), Invalid> {
    let provider = id("provider_id", &state.provider_id)?;
    if state.entries.len() > MAX_MODELS.saturating_add(1) {
        return Err(Invalid::new("entries", format!("are more than {MAX_MODELS}")));
    }
    let mut entries = BTreeMap::new();
    for entry in state.entries {
        if entry.model.len() > MAX_MODEL_NAME {
            return Err(Invalid::new("entries.model", "is too long for a model's name"));
        }
        entries.insert(entry.model.as_str().into(), entry_from_wire(entry)?);
    }
    let generation = state.generation;
    Ok((provider, State { generation, entries }))
}

fn entry_from_wire(entry: wire::EntryState) -> Result<Entry, Invalid> {
    let cooling = |it: wire::CoolingState| {
        let value = Cooling {
            until: UnixMs(it.until_ms),
            stated: it.stated,
            guesses: it.guesses,
        };
        mark_from_wire(it.mark, value)
    };
    let probes = |it: wire::ProbesState| {
        let value = Probes {
            failures: it.failures,
            next: UnixMs(it.next_ms),
        };
        mark_from_wire(it.mark, value)
    };
    Ok(Entry {
        circuit: entry.circuit.map(circuit_from_wire).transpose()?,
        cooling: entry.cooling.map(cooling).transpose()?,
        credential: entry.credential.map(credential_from_wire).transpose()?,
        billing: entry.billing.map(aside_from_wire).transpose()?,
        no_model: entry.no_model.map(aside_from_wire).transpose()?,
        headroom: entry.headroom.map(room_from_wire).transpose()?,
        probes: entry.probes.map(probes).transpose()?,
    })
}

fn mark_to_wire<T>(mark: &Mark<T>) -> wire::Mark {
    wire::Mark {
        stamp: mark.stamp,
        at_ms: mark.at.0,
        by: mark.by.to_string(),
        why: mark.why.to_string(),
    }
}

fn mark_from_wire<T>(mark: Option<wire::Mark>, value: T) -> Result<Mark<T>, Invalid> {
    let mark = required("mark", mark)?;
    if mark.by.len() > MAX_TEXT || mark.why.len() > MAX_TEXT {
        return Err(Invalid::new("mark", "has too long a text"));
    }
    Ok(Mark {
        stamp: mark.stamp,
        value,
        at: UnixMs(mark.at_ms),
        by: mark.by.into(),
        why: mark.why.into(),
    })
}

fn circuit_to_wire(mark: &Mark<Circuit>) -> wire::CircuitState {
    let (kind, successes, until) = match mark.value {
        Circuit::Closed => (wire::CircuitKind::Closed, 0, None),
        Circuit::Trying { successes } => (wire::CircuitKind::HalfOpen, successes, None),
        Circuit::Open { until } => (wire::CircuitKind::Open, 0, Some(until)),
        Circuit::Forced { until } => (wire::CircuitKind::Forced, 0, until),
    };
    wire::CircuitState {
        mark: Some(mark_to_wire(mark)),
        kind: kind.into(),
        successes,
        until_ms: until.map(|until| until.0),
    }
}

fn circuit_from_wire(it: wire::CircuitState) -> Result<Mark<Circuit>, Invalid> {
    let until = it.until_ms.map(UnixMs);
    let circuit = match wire::CircuitKind::try_from(it.kind) {
        Ok(wire::CircuitKind::Closed) => Circuit::Closed,
        Ok(wire::CircuitKind::HalfOpen) => Circuit::Trying {
            successes: it.successes,
        },
        Ok(wire::CircuitKind::Open) => Circuit::Open {
            until: required("circuit.until_ms", until)?,
        },
        Ok(wire::CircuitKind::Forced) => Circuit::Forced { until },
        Ok(wire::CircuitKind::Unspecified) | Err(_) => return Err(unknown("circuit.kind", it.kind)),
    };
    mark_from_wire(it.mark, circuit)
}

fn credential_to_wire(mark: &Mark<Credential>) -> wire::CredentialState {
    let (kind, at) = match mark.value {
        Credential::Accepted => (wire::CredentialKind::Accepted, UnixMs(0)),
        Credential::Suspect { until } => (wire::CredentialKind::Suspect, until),
        Credential::Failed { probe_at } => (wire::CredentialKind::Failed, probe_at),
        Credential::Revoked => (wire::CredentialKind::Revoked, UnixMs(0)),
    };
    wire::CredentialState {
        mark: Some(mark_to_wire(mark)),
        kind: kind.into(),
        at_ms: at.0,
    }
}

fn credential_from_wire(it: wire::CredentialState) -> Result<Mark<Credential>, Invalid> {
    let at = UnixMs(it.at_ms);
    let credential = match wire::CredentialKind::try_from(it.kind) {
        Ok(wire::CredentialKind::Accepted) => Credential::Accepted,
        Ok(wire::CredentialKind::Suspect) => Credential::Suspect { until: at },
        Ok(wire::CredentialKind::Failed) => Credential::Failed { probe_at: at },
        Ok(wire::CredentialKind::Revoked) => Credential::Revoked,
        Ok(wire::CredentialKind::Unspecified) | Err(_) => return Err(unknown("credential.kind", it.kind)),
    };
    mark_from_wire(it.mark, credential)
}

fn aside_to_wire(mark: &Mark<Aside>) -> wire::AsideState {
    wire::AsideState {
        mark: Some(mark_to_wire(mark)),
        until_ms: mark.value.end().map(|until| until.0),
    }
}

fn aside_from_wire(it: wire::AsideState) -> Result<Mark<Aside>, Invalid> {
    mark_from_wire(it.mark, Aside::until(it.until_ms.map(UnixMs)))
}

fn room_to_wire(mark: &Mark<Room>) -> wire::RoomState {
    let level = match mark.value.level {
        Level::Enough => wire::RoomLevel::Enough,
        Level::Low => wire::RoomLevel::Low,
        Level::Spent => wire::RoomLevel::Spent,
    };
    wire::RoomState {
        mark: Some(mark_to_wire(mark)),
        level: level.into(),
        until_ms: mark.value.until.0,
    }
}

fn room_from_wire(it: wire::RoomState) -> Result<Mark<Room>, Invalid> {
    let level = match wire::RoomLevel::try_from(it.level) {
        Ok(wire::RoomLevel::Enough) => Level::Enough,
        Ok(wire::RoomLevel::Low) => Level::Low,
        Ok(wire::RoomLevel::Spent) => Level::Spent,
        Ok(wire::RoomLevel::Unspecified) | Err(_) => return Err(unknown("headroom.level", it.level)),
    };
    let until = UnixMs(it.until_ms);
    mark_from_wire(it.mark, Room { level, until })
}

fn unknown(field: &str, value: i32) -> Invalid {
    Invalid::new(field, format!("has the unknown value {value}"))
}

#[cfg(test)]
mod tests {
    use penstock_core::health::mark::Maker;

    use super::*;

    fn full() -> State {
        let (now, mut state) = (
            UnixMs(1_000),
            State {
                generation: 7,
                ..State::default()
            },
        );
        let maker = Maker {
            by: "node-1",
            why: "5 failures in a row",
            now,
        };
        let circuits = [
            Circuit::Closed,
            Circuit::Trying { successes: 1 },
            Circuit::Open { until: now },
            Circuit::Forced { until: None },
            Circuit::Forced { until: Some(now) },
        ];
        let credentials = [
            Credential::Accepted,
            Credential::Suspect { until: now },
            Credential::Failed { probe_at: now },
            Credential::Revoked,
            Credential::Accepted,
        ];
        let levels = [Level::Enough, Level::Low, Level::Spent, Level::Low, Level::Low];
        for (n, ((circuit, credential), level)) in
            circuits.into_iter().zip(credentials).zip(levels).enumerate()
        {
            let model = if n == 0 {
                String::new()
            } else {
                format!("model-{n}")
            };
            let entry = state.entry_mut(&model).unwrap();
            maker.mark(&mut entry.circuit, circuit);
            maker.mark(&mut entry.credential, credential);
            maker.mark(&mut entry.headroom, Room { level, until: now });
            maker.mark(
                &mut entry.cooling,
                Cooling {
                    until: now,
                    stated: n == 1,
                    guesses: 3,
                },
            );
            maker.mark(&mut entry.billing, Aside::until(None));
            maker.mark(&mut entry.no_model, Aside::until(Some(now)));
            maker.mark(
                &mut entry.probes,
                Probes {
                    failures: 2,
                    next: now,
                },
            );
        }
        state
    }

    #[test]
    fn b08_a_state_comes_over_the_wire_as_it_was() {
        let provider = ProviderId::from_parts(1, &[1; 10]);
        let state = full();
        let wire = provider_state_to_wire(provider, &state);
        assert_eq!(provider_state_from_wire(wire).unwrap(), (provider, state));
    }

    #[test]
    fn what_cannot_be_read_is_refused() {
        let good = provider_state_to_wire(ProviderId::from_parts(1, &[1; 10]), &full());
        let bad = |change: &dyn Fn(&mut wire::ProviderState)| {
            let mut state = good.clone();
            change(&mut state);
            provider_state_from_wire(state).unwrap_err().to_string()
        };
        assert!(bad(&|it| it.provider_id = "x".to_owned()).contains("is not an id"));
        assert!(bad(&|it| it.entries[0].model = "x".repeat(300)).contains("too long"));
        assert!(bad(&|it| it.entries[0].circuit.as_mut().unwrap().kind = 99).contains("unknown value"));
        assert!(bad(&|it| it.entries[0].circuit.as_mut().unwrap().mark = None).contains("is missing"));
        assert!(bad(&|it| it.entries = vec![it.entries[0].clone(); 300]).contains("more than"));
    }
}
