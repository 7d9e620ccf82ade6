//! Where a request would go.

use std::collections::HashMap;

use penstock_core::dialect::Dialect;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::verdict_from_wire;
use penstock_proto::sync::v1 as sync;
use serde::Serialize;

use super::judged::Verdict;
use super::{View, rows};
use crate::failure::Failure;

/// `penstock route`.
#[derive(Debug, Serialize)]
pub(crate) struct RoutePlan {
    pub user: String,
    /// None: the user's own rules alone counted.
    pub key: Option<String>,
    pub dialect: &'static str,
    /// The business code of the refusal, when nobody would be asked, and its text.
    pub code: Option<String>,
    pub message: Option<String>,
    /// Who would be asked first, with the likeliest before others; none when nobody would be.
    pub goes_to: Vec<Share>,
    /// The name of the provider to which the session is bound.
    pub bound_to: Option<String>,
    /// The model, and its substitutes in the order in which they are looked for.
    pub models: Vec<ModelPlan>,
    /// The data plane that made the plan, and the revision that is in force there.
    pub node_id: String,
    pub revision: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Share {
    pub provider: String,
    /// The model that is looked for.
    pub model: String,
    pub share_millionths: u32,
}

#[derive(Debug, Serialize)]
pub(crate) struct ModelPlan {
    pub model: String,
    pub providers: Vec<ProviderPlan>,
}

#[derive(Debug, Serialize)]
pub(crate) struct ProviderPlan {
    pub id: String,
    pub name: String,
    pub priority: u32,
    pub weight: u32,
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Of such requests.
    pub share_millionths: u32,
    /// What is left of the provider's own rate limits.
    pub room_thousandths: Option<u32>,
    pub half_open: bool,
    pub model_sent: String,
}

type Known = HashMap<String, wire::PlannedProvider>;

impl RoutePlan {
    pub(crate) fn read(answer: wire::PlanRouteResponse, dialect: Dialect) -> Result<Self, Failure> {
        let given = |text: String| (!text.is_empty()).then_some(text);
        let plan = answer.plan.unwrap_or_default();
        let known: Known = answer
            .providers
            .into_iter()
            .map(|provider| (provider.id.clone(), provider))
            .collect();
        let bound = given(plan.bound_provider_id);
        let models = plan
            .models
            .into_iter()
            .map(|model| ModelPlan::read(model, &known));
        let models = models.collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            user: answer.user_name,
            key: given(answer.key_name),
            dialect: dialect.as_str(),
            goes_to: if plan.code.is_empty() {
                goes_to(&models)
            } else {
                Vec::new()
            },
            code: given(plan.code),
            message: given(plan.message),
            bound_to: bound.map(|id| known.get(&id).map_or(id, |provider| provider.name.clone())),
            models,
            node_id: answer.node_id,
            revision: plan.revision,
        })
    }
}

/// Of the first model that somebody serves.
fn goes_to(models: &[ModelPlan]) -> Vec<Share> {
    let shares = |model: &ModelPlan| {
        let asked = model
            .providers
            .iter()
            .filter(|provider| provider.share_millionths > 0);
        let share = |provider: &ProviderPlan| Share {
            provider: provider.name.clone(),
            model: model.model.clone(),
            share_millionths: provider.share_millionths,
        };
        asked.map(share).collect::<Vec<_>>()
    };
    let mut first = models
        .iter()
        .map(shares)
        .find(|shares| !shares.is_empty())
        .unwrap_or_default();
    first.sort_by_key(|share| std::cmp::Reverse(share.share_millionths));
    first
}

impl ModelPlan {
    fn read(model: sync::ModelPlan, known: &Known) -> Result<Self, Failure> {
        let providers = model.providers.into_iter();
        let providers = providers.map(|provider| ProviderPlan::read(provider, known));
        Ok(Self {
            model: model.model,
            providers: providers.collect::<Result<_, _>>()?,
        })
    }

    fn table(&self) -> String {
        let header = ["PROVIDER", "PRIORITY", "WEIGHT", "SHARE", "ROOM", "VERDICT"];
        let cells = self.providers.iter().map(|provider| {
            let half_open = if provider.half_open {
                ", its breaker is half-open"
            } else {
                ""
            };
            let room = provider.room_thousandths;
            vec![
                provider.name.clone(),
                provider.priority.to_string(),
                provider.weight.to_string(),
                percent(provider.share_millionths),
                room.map_or_else(|| "-".to_owned(), |room| percent(room.saturating_mul(1_000))),
                format!("{}{half_open}", provider.verdict.text),
            ]
        });
        rows(&header, cells)
    }
}

impl ProviderPlan {
    fn read(provider: sync::ProviderPlan, known: &Known) -> Result<Self, Failure> {
        let verdict = verdict_from_wire("verdict", provider.verdict.unwrap_or_default())?;
        let named = known.get(&provider.provider_id);
        Ok(Self {
            name: named.map_or_else(|| provider.provider_id.clone(), |named| named.name.clone()),
            priority: named.map_or(0, |named| named.priority),
            weight: named.map_or(0, |named| named.weight),
            id: provider.provider_id,
            verdict: verdict.into(),
            share_millionths: provider.share_millionths,
            room_thousandths: provider.room_thousandths,
            half_open: provider.half_open,
            model_sent: provider.model_sent,
        })
    }
}

impl View for RoutePlan {
    fn table(&self) -> String {
        let whose = match &self.key {
            Some(key) => format!("key {key}"),
            None => format!("user {}", self.user),
        };
        let mut text = match (&self.code, self.goes_to.as_slice()) {
            (Some(code), _) => {
                let message = self.message.as_deref().unwrap_or_default();
                format!("{whose}: refused with {code}: {message}")
            }
            (None, goes_to) => format!("{whose}: goes to {}", shares(goes_to)),
        };
        if let Some(bound) = &self.bound_to {
            text = format!("{text}\nthe session is bound to {bound}");
        }
        for (i, model) in self.models.iter().enumerate() {
            let what = if i == 0 {
                "model"
            } else {
                "then, when nobody is left, model"
            };
            text = format!("{text}\n\n{what} {}:\n{}", model.model, model.table());
        }
        let (node, revision) = (&self.node_id, self.revision);
        format!("{text}\n\nsaid by data plane {node} at revision {revision}; nothing was sent")
    }
}

fn shares(goes_to: &[Share]) -> String {
    let share = |share: &Share| format!("{} ({})", share.provider, percent(share.share_millionths));
    let all: Vec<_> = goes_to.iter().map(share).collect();
    all.join(", ")
}

/// With one place.
fn percent(millionths: u32) -> String {
    let tenths = millionths.saturating_add(500) / 1_000;
    format!("{}.{} %", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests;
