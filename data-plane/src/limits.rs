//! Between calls and the counters: whose limits, what was used; and that limits are not forgotten while they are off.
//!
//! A call is settled by the configuration in force when it ends, not by the one that let it in: limits that were set
//! meanwhile count it, too, or its cost would be missing in counters that were just made from the ledger.

use std::sync::Arc;
use std::time::Duration;

use penstock_core::id::{Epoch, KeyId, ProviderId, RequestId, UserId};
use penstock_core::limits::Limits;
use penstock_core::limits::reading::Reading;
use penstock_core::money::NanoUsd;
use penstock_core::snapshot::{KeyEntry, ProviderEntry, Snapshot, UserEntry};
use penstock_core::time::UnixMs;
use penstock_core::usage::TokenUsage;
use penstock_fleet::account::{Account, SubjectName};
use penstock_fleet::counters::{RecordNumber, Usage};
use penstock_fleet::{Claim, Ended};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::clock;

const HOUR: Duration = Duration::from_secs(3_600);
/// Between two looks at the switch.
const LOOK: Duration = Duration::from_secs(1);

/// What a call used.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) request: RequestId,
    pub(crate) admitted_at: UnixMs,
    pub(crate) tokens: u64,
    pub(crate) cost: NanoUsd,
    pub(crate) record: Option<RecordNumber>,
}

/// What one subject takes: tokens, nano-USD.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Takes {
    pub(crate) tokens: u64,
    pub(crate) money: u64,
}

/// Tokens as `tpm` counts them: cache reads left out.
pub(crate) fn counted_tokens(used: &TokenUsage) -> u64 {
    used.prompt()
        .saturating_sub(used.cache_read)
        .saturating_add(used.output)
}

/// The limits of a key and its user.
pub(crate) fn claims(key: &KeyEntry, user: &UserEntry, of_key: Takes, of_user: Takes) -> Vec<Claim> {
    vec![key_claim(key, of_key), user_claim(user, of_user)]
}

pub(crate) fn key_claim(key: &KeyEntry, takes: Takes) -> Claim {
    claim(SubjectName::Key(key.id), &key.key.limits, key.version, takes)
}

pub(crate) fn user_claim(user: &UserEntry, takes: Takes) -> Claim {
    claim(SubjectName::User, &user.user.limits, user.version, takes)
}

/// The limits of a provider.
pub(crate) fn provider_claims(provider: &ProviderEntry, takes: Takes) -> Vec<Claim> {
    vec![claim(
        SubjectName::Provider,
        &provider.provider.limits,
        provider.version,
        takes,
    )]
}

fn claim(name: SubjectName, limits: &Arc<Limits>, version: u64, takes: Takes) -> Claim {
    Claim {
        name,
        limits: Arc::clone(limits),
        version,
        tokens: takes.tokens,
        money: takes.money,
    }
}

/// The configuration's history, as counters compare it.
pub(crate) fn epoch(snapshot: &Snapshot) -> Epoch {
    snapshot.epoch().unwrap_or_else(|| Epoch::from_parts(0, &[0; 10]))
}

/// Books a call with its user and key. `known` are those of the call, in case they are gone by now; it held something.
pub(crate) fn settle_user(
    app: &Arc<App>,
    (user_id, key_id): (UserId, KeyId),
    known: Option<(&Arc<UserEntry>, &Arc<KeyEntry>)>,
    used: &Used,
) {
    let snapshot = app.live.load();
    let user = snapshot.user(user_id).or_else(|| known.map(|(user, _)| user));
    let key = snapshot.key(key_id).or_else(|| known.map(|(_, key)| key));
    let (Some(user), Some(key)) = (user, key) else {
        return;
    };
    if known.is_none() && user.user.limits.is_unlimited() && key.key.limits.is_unlimited() {
        return;
    }
    let takes = takes(used);
    end(
        app,
        &snapshot,
        Account::User(user_id),
        claims(key, user, takes, takes),
        used,
    );
}

/// Books a call with its provider. `held`: it held something there.
pub(crate) fn settle_provider(app: &Arc<App>, provider: ProviderId, held: bool, used: &Used) {
    let snapshot = app.live.load();
    let Some(entry) = snapshot.provider(provider) else {
        return;
    };
    if held || !entry.provider.limits.is_unlimited() {
        let claims = provider_claims(entry, takes(used));
        end(app, &snapshot, Account::Provider(provider), claims, used);
    }
}

fn takes(used: &Used) -> Takes {
    Takes {
        tokens: used.tokens,
        money: u64::try_from(used.cost.0).unwrap_or(0),
    }
}

fn end(app: &Arc<App>, snapshot: &Snapshot, account: Account, claims: Vec<Claim>, used: &Used) {
    app.fleet.settle(&Ended {
        account,
        request: used.request,
        epoch: epoch(snapshot),
        claims,
        admitted_at: used.admitted_at,
        record: used.record,
    });
}

/// What is used of one limit, as callers and operators read it.
pub(crate) fn reading(claims: &[Claim], usage: &Usage) -> Reading {
    let claim = claims.iter().find(|claim| claim.name == usage.subject);
    let limit = claim.map_or(0, |claim| claim.limits.get(usage.dimension));
    Reading {
        level: usage.subject.level(),
        dimension: usage.dimension,
        used: usage.used,
        reserved: usage.reserved,
        limit,
        reset_at: usage.reset_at,
    }
}

/// While limits are switched off as a whole: a warning at once and every hour, so that nobody forgets it.
pub(crate) async fn say_switched_off(app: Arc<App>, stop: CancellationToken) {
    let saying = async {
        let mut said: Option<Instant> = None;
        loop {
            let setting = app.live.load().limits();
            let off = app.ready.is_set() && !setting.enforced(clock::now());
            match said {
                None if off => {
                    warn_off(setting.off_until);
                    said = Some(Instant::now());
                }
                Some(at) if off && at.elapsed() >= HOUR => {
                    warn_off(setting.off_until);
                    said = Some(Instant::now());
                }
                Some(_) if !off => {
                    tracing::info!("limits are enforced again");
                    said = None;
                }
                Some(_) | None => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    stop.run_until_cancelled(saying).await;
}

fn warn_off(until: Option<UnixMs>) {
    let until = until.map_or_else(
        || "until somebody switches them on".to_owned(),
        |at| format!("until {at}"),
    );
    tracing::warn!(
        until,
        "limits are switched OFF: nothing is refused for a limit, everything is counted; \
         `penstock setting set limits --enabled true` switches them on"
    );
}
