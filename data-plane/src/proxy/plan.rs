//! The dry run: where a request would go, and why (behaviour B12).
//!
//! It is answered from the same snapshot, health, bindings and counters as a request, by the same choice; nothing is sent
//! to a provider, nothing is counted and no session is bound. What a request's body decides is left out: how much it
//! takes of a strict budget, and the session of a client that names none.

use std::sync::Arc;

use penstock_core::access::{self, Access};
use penstock_core::dialect::Dialect;
use penstock_core::error::{CallerError, Code};
use penstock_core::health::Standing;
use penstock_core::id::{KeyId, ProviderId, UserId};
use penstock_core::provider::Request;
use penstock_core::route::{self, Ask, Bound, Verdict};
use penstock_core::session::SessionId;
use penstock_core::snapshot::{KeyEntry, ProviderEntry, Snapshot, UserEntry};
use penstock_core::time::UnixMs;
use penstock_fleet::account::Account;

use super::pricing::{self, Defaults};
use super::route::{Known, nobody_message};
use crate::app::App;
use crate::clock;
use crate::commands::ReadError;
use crate::limits::{self, Takes};

/// More providers than this are not told.
const MAX_PROVIDERS: usize = 200;

/// A request that nobody makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub user: UserId,
    /// None: the user's own rules alone count.
    pub key: Option<KeyId>,
    pub dialect: Dialect,
    pub model: String,
    /// As its client sends it.
    pub session: Option<String>,
}

/// Where it would go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Of the snapshot that it was made from.
    pub revision: u64,
    /// Why nobody would be asked.
    pub refusal: Option<CallerError>,
    pub bound: Option<ProviderId>,
    /// The model and its substitutes.
    pub models: Vec<ModelPlan>,
}

/// Who would be asked for one model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelPlan {
    pub model: String,
    pub providers: Vec<ProviderPlan>,
}

/// One provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderPlan {
    pub id: ProviderId,
    pub verdict: Verdict,
    /// Millionths of such requests.
    pub share: u32,
    /// What is left of its own rate limits, in thousandths.
    pub room: Option<u32>,
    pub half_open: bool,
    pub model_sent: String,
}

/// Whose request it would be.
struct Whose<'a> {
    user: &'a UserEntry,
    key: Option<&'a KeyEntry>,
    /// Of a request without a key.
    anyone: Access,
}

/// What holds for all models of a plan.
struct Planner<'a> {
    app: &'a App,
    snapshot: &'a Snapshot,
    whose: &'a Whose<'a>,
    dialect: Dialect,
    bound: Option<ProviderId>,
    full: Vec<(ProviderId, Verdict)>,
}

/// Tells where a request would go.
pub async fn plan(app: &App, question: &Question) -> Result<Plan, ReadError> {
    let snapshot = app.live.load();
    let whose = Whose::find(&snapshot, question).ok_or(ReadError::Unknown)?;
    let now = clock::now();
    let bound = match (question.key, &question.session) {
        (Some(key), Some(session)) => app.fleet.binding(SessionId::of(key, session)).await,
        _ => None,
    };
    let bound = bound.map(|binding| binding.provider);
    let planner = Planner {
        app,
        snapshot: &snapshot,
        whose: &whose,
        dialect: question.dialect,
        bound,
        full: full(app, &snapshot).await,
    };
    let substitutes = snapshot.model_fallbacks(&question.model).iter();
    let substitutes = substitutes.filter(|model| whose.may_use(model));
    let mut models = Vec::new();
    for model in std::iter::once(&question.model).chain(substitutes) {
        let tried = planner.tried(model).await;
        models.push(planner.of_model(model, &tried));
    }
    Ok(Plan {
        revision: snapshot.revision(),
        refusal: whose
            .refusal(question.dialect, &question.model, now)
            .or_else(|| nobody(&models)),
        bound,
        models,
    })
}

/// Providers that have used up one of their limits.
async fn full(app: &App, snapshot: &Snapshot) -> Vec<(ProviderId, Verdict)> {
    let mut full = Vec::new();
    if !app.limits_policy(snapshot).enforce {
        return full;
    }
    let limited = |entry: &&Arc<ProviderEntry>| !entry.provider.limits.is_unlimited();
    for entry in snapshot.providers().iter().filter(limited).take(MAX_PROVIDERS) {
        let claims = limits::provider_claims(entry, Takes::default());
        let account = Account::Provider(entry.id);
        let read = app.fleet.read(account, limits::epoch(snapshot), &claims).await;
        let Some(usages) = read else {
            full.push((entry.id, Verdict::BudgetUnknown));
            continue;
        };
        let mut readings = usages.iter().map(|usage| limits::reading(&claims, usage));
        let used_up = readings.find(|reading| reading.used.saturating_add(reading.reserved) >= reading.limit);
        full.extend(used_up.map(|reading| (entry.id, Verdict::Full(reading.dimension))));
    }
    full
}

impl Planner<'_> {
    /// Half-open providers that another call tries now.
    async fn tried(&self, model: &str) -> Vec<(ProviderId, Verdict)> {
        let now = clock::now();
        let health = &self.app.health;
        let half_open =
            |entry: &&Arc<ProviderEntry>| health.standing(entry, model, now) == Standing::HalfOpen;
        let mut tried = Vec::new();
        for entry in self
            .snapshot
            .providers()
            .iter()
            .filter(half_open)
            .take(MAX_PROVIDERS)
        {
            let of = health.trial_of(entry, model, now);
            if self.app.fleet.trial_is_out(entry.id, of).await {
                tried.push((entry.id, Verdict::TrialUnderWay));
            }
        }
        tried
    }

    fn of_model(&self, model: &str, tried: &[(ProviderId, Verdict)]) -> ModelPlan {
        let known = Known::now(&self.app.health);
        let ask = Ask {
            request: Request::answer(self.dialect),
            model,
            user: &self.whose.user.user.access,
            key: self.whose.key_access(),
            tried: &[],
            now: known.at(),
            fleet: &known,
            bound: Bound {
                provider: self.bound,
                return_to_better_tier: self.snapshot.routing().return_to_better_tier,
            },
        };
        let passed: Vec<_> = self
            .unpriced(model)
            .chain(self.full.iter().copied())
            .chain(tried.iter().copied())
            .collect();
        let judged = route::plan(self.snapshot.providers(), &ask, &passed);
        let providers = judged.into_iter().take(MAX_PROVIDERS).map(|judged| {
            let entry = judged.entry;
            let headroom = self.app.health.headroom(entry, model, ask.now);
            ProviderPlan {
                id: entry.id,
                verdict: judged.verdict,
                share: judged.share,
                room: headroom.map(|headroom| u32::from(headroom.fraction_left)),
                half_open: known.is_half_open(entry, model),
                model_sent: entry.provider.upstream_model(model).to_owned(),
            }
        });
        ModelPlan {
            model: model.to_owned(),
            providers: providers.collect(),
        }
    }

    fn unpriced(&self, model: &str) -> impl Iterator<Item = (ProviderId, Verdict)> {
        let defaults = Defaults::default();
        let providers = self.snapshot.providers().iter();
        let unpriced = providers.filter(move |entry| {
            let sent = entry.provider.upstream_model(model);
            pricing::tariff(self.snapshot, &defaults, &entry.provider, sent).is_err()
        });
        unpriced.map(|entry| (entry.id, Verdict::Unpriced))
    }
}

/// The refusal when nobody could be asked for any of the models.
fn nobody(models: &[ModelPlan]) -> Option<CallerError> {
    let somebody = |model: &ModelPlan| model.providers.iter().any(|provider| provider.share > 0);
    if models.iter().any(somebody) {
        return None;
    }
    let asked = models.first()?;
    let has = |of: fn(Verdict) -> bool| asked.providers.iter().any(|provider| of(provider.verdict));
    let model = &asked.model;
    Some(match () {
        () if has(|verdict| verdict == Verdict::Unpriced) => CallerError::new(
            Code::ModelUnpriced,
            format!("Model {model} has no price here, and calls without a price are refused."),
        ),
        () if has(|verdict| !never_serves(verdict)) => {
            let breakers = |verdict| matches!(verdict, Verdict::BreakerOpen(_) | Verdict::TrialUnderWay);
            let verdicts = asked.providers.iter().map(|it| it.verdict);
            let passing: Vec<_> = verdicts.filter(|it| it.is_passing()).collect();
            let breakers_alone = !passing.is_empty() && passing.into_iter().all(breakers);
            CallerError::new(Code::NoAvailableAccount, nobody_message(breakers_alone))
        }
        () => CallerError::new(
            Code::ModelNotFound,
            format!("Model {model} is not available here."),
        ),
    })
}

/// As the choice tells "not served" from "not now, or not for this caller".
fn never_serves(verdict: Verdict) -> bool {
    matches!(
        verdict,
        Verdict::Disabled | Verdict::OtherDialect | Verdict::ModelNotServed
    )
}

impl<'a> Whose<'a> {
    fn find(snapshot: &'a Snapshot, question: &Question) -> Option<Self> {
        let key = match question.key {
            Some(id) => Some(snapshot.key(id)?.as_ref()),
            None => None,
        };
        Some(Self {
            user: snapshot.user(question.user)?,
            key,
            anyone: Access::default(),
        })
    }

    fn key_access(&self) -> &Access {
        self.key.map_or(&self.anyone, |key| &key.key.access)
    }

    fn may_use(&self, model: &str) -> bool {
        self.key_access().allows_model(model) && self.user.user.access.allows_model(model)
    }

    /// Why such a caller is not let in at all.
    fn refusal(&self, dialect: Dialect, model: &str, now: UnixMs) -> Option<CallerError> {
        let (user, key) = (&self.user.user.access, self.key_access());
        if let Err(denied) = access::check(user, key, now) {
            return Some(denied.into());
        }
        let allowed =
            access::check_dialect(user, key, dialect).and_then(|()| access::check_model(user, key, model));
        allowed.err().map(CallerError::from)
    }
}
