//! Which calls an operator asks about.
//!
//! Names or ids. An id need not exist any more: the ledger outlives users, keys and providers. Tags are those that keys
//! and users carry now.

use penstock_core::id::{ProviderId, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::resource::{ResourceRef, Spec};
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::outcome_from_wire;
use penstock_store::{Among, UsageFilter};
use tonic::Status;

use super::super::scope::Scope;
use super::super::{names, status};
use crate::clock;
use crate::context::Context;
use crate::index::Index;

/// A span without an end reaches so far beyond now, for nodes whose clocks run ahead.
const AHEAD_MS: u64 = 300_000;

/// Reads a filter, of what the caller may see: its own user restricts whatever else is asked.
pub(super) async fn read(
    context: &Context,
    scope: Scope,
    filter: Option<wire::UsageFilter>,
) -> Result<UsageFilter, Status> {
    let filter = filter.unwrap_or_default();
    let store = &*context.store;
    let (from, to) = span(filter.from_ms, filter.to_ms, clock::now())?;
    let user = match (filter.user.as_str(), filter.user.parse(), scope.own()) {
        ("", _, own) => own,
        (_, Ok(id), None) => Some(id),
        (text, _, _) => Some(scope.user(store, text).await?.id),
    };
    let key = match (filter.key.as_str(), filter.key.parse()) {
        ("", _) => None,
        // It may be gone; of another user's key nothing is found.
        (_, Ok(id)) => Some(id),
        (text, Err(_)) => Some(scope.key(store, text).await?.id),
    };
    if !filter.provider.is_empty() {
        scope.refuse("providers")?;
    }
    let outcome = match filter.outcome {
        0 => None,
        value => Some(outcome_from_wire("filter.outcome", value).map_err(|e| status::invalid(&e))?),
    };
    Ok(UsageFilter {
        user,
        key,
        provider: provider(context, &filter.provider).await?,
        model: (!filter.model.is_empty()).then_some(filter.model),
        among: match filter.tags.is_empty() {
            true => None,
            false => Some(tagged(&context.index, scope, &filter.tags)?),
        },
        session: (!filter.session.is_empty()).then_some(filter.session),
        status: read_status(&filter.status)?,
        outcome,
        ..UsageFilter::span(from, to)
    })
}

/// By name or id; None for an empty text.
pub(super) async fn provider(context: &Context, text: &str) -> Result<Option<ProviderId>, Status> {
    Ok(match text {
        "" => None,
        text => Some(match text.parse() {
            Ok(id) => id,
            Err(_) => names::provider(&*context.store, text).await?.id,
        }),
    })
}

pub(super) fn span(from_ms: i64, to_ms: i64, now: UnixMs) -> Result<(UnixMs, UnixMs), Status> {
    let to = if to_ms == 0 {
        now.plus_ms(AHEAD_MS)
    } else {
        UnixMs(to_ms)
    };
    let from = UnixMs(from_ms);
    if from >= to {
        let problem = format!("({from}) must lie before the end of the span ({to})");
        return Err(status::invalid(&Invalid::new("filter.from_ms", problem)));
    }
    Ok((from, to))
}

fn tagged(index: &Index, scope: Scope, tags: &[String]) -> Result<Among, Status> {
    let carries = |own: &[String]| own.iter().any(|tag| tags.contains(tag));
    let seen = |user: UserId| scope.own().is_none_or(|own| own == user);
    let mut among = Among::default();
    for resource in &index.full().resources {
        match (&resource.reference, &resource.spec) {
            (ResourceRef::User(id), Spec::User(user)) if seen(*id) && carries(&user.access.tags) => {
                among.users.push(*id);
            }
            (ResourceRef::Key(id), Spec::Key(key)) if seen(key.user_id) && carries(&key.access.tags) => {
                among.keys.push(*id);
            }
            _ => {}
        }
    }
    if among.users.len() + among.keys.len() > Among::MAX {
        let problem = format!(
            "are carried by more than {} users and keys; `penstock usage chargeback --by tag` sums up any number",
            Among::MAX
        );
        return Err(status::invalid(&Invalid::new("filter.tags", problem)));
    }
    Ok(among)
}

/// `429`, `5xx`, `400-499`. None for an empty text.
fn read_status(text: &str) -> Result<Option<(u16, u16)>, Status> {
    let bad = || {
        let problem = format!("{text:?} is no status: write 429, 5xx or 400-499");
        status::invalid(&Invalid::new("filter.status", problem))
    };
    let number = |text: &str| text.parse::<u16>().ok().filter(|n| (100..1000).contains(n));
    if text.is_empty() {
        return Ok(None);
    }
    if let Some(hundreds) = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX")) {
        let from = number(&format!("{hundreds}00")).ok_or_else(bad)?;
        return Ok(Some((from, from + 99)));
    }
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    let (from, to) = number(from).zip(number(to)).ok_or_else(bad)?;
    if from > to {
        return Err(bad());
    }
    Ok(Some((from, to)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMs = UnixMs(1_700_000_000_000);

    #[test]
    fn e06_a_span_without_an_end_reaches_beyond_now() {
        let (from, to) = span(0, 0, NOW).unwrap();
        assert_eq!(from, UnixMs(0));
        assert!(to > NOW);
    }

    #[test]
    fn e06_a_span_that_ends_before_it_begins_is_refused() {
        let error = span(10, 10, NOW).unwrap_err();
        assert!(error.message().starts_with("filter.from_ms"), "{error}");
    }

    #[test]
    fn e06_statuses_are_one_a_hundred_or_a_range() {
        assert_eq!(read_status("").unwrap(), None);
        assert_eq!(read_status("429").unwrap(), Some((429, 429)));
        assert_eq!(read_status("5xx").unwrap(), Some((500, 599)));
        assert_eq!(read_status("400-428").unwrap(), Some((400, 428)));
        for bad in ["x", "5x", "0xx", "99", "500-400", "4xx-5xx"] {
            assert_eq!(
                read_status(bad).unwrap_err().code(),
                tonic::Code::InvalidArgument,
                "{bad}"
            );
        }
    }
}
