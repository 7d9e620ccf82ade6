//! What a call cost, line by line.

use penstock_core::money::{Millionths, NanoUsd, PicoUsd};
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::{service_tier_from_wire, token_class_from_wire};
use serde::Serialize;

use super::super::rows;
use crate::args::rate;
use crate::failure::Failure;

/// From the price that was used.
#[derive(Debug, Serialize)]
pub(crate) struct Cost {
    /// Before factors and multiplier.
    pub lines: Vec<Line>,
    /// Factors that the answer named; they multiply tokens, and not searches.
    pub factors: Vec<Factor>,
    /// The provider's.
    pub multiplier: String,
    pub total_usd: String,
    pub total_nanousd: i64,
    /// Lines, factors and multiplier make exactly the total.
    pub adds_up: bool,
    /// Why there are no lines.
    pub unknown: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Line {
    /// A class of tokens, `web_search` or `request`.
    pub what: &'static str,
    pub count: u64,
    /// For a million tokens, or one search. None: there is no rate, it costs nothing.
    pub rate_usd: Option<String>,
    /// Of the rate.
    pub tier: Option<&'static str>,
    pub above_tokens: Option<u64>,
    pub amount_usd: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Factor {
    pub name: String,
    pub factor: String,
}

impl Cost {
    pub(super) fn read(cost: wire::CallCost, record: &UsageRecord) -> Result<Self, Failure> {
        let lines = cost.lines.into_iter().map(Line::read);
        let mut lines = lines.collect::<Result<Vec<_>, _>>()?;
        if cost.web_searches > 0 {
            lines.push(Line::searches(cost.web_searches, cost.web_search_nanousd));
        }
        if cost.request_nanousd > 0 {
            lines.push(Line::request(cost.request_nanousd));
        }
        let factor = |factor: penstock_proto::config::v1::Factor| Factor {
            name: factor.name,
            factor: Millionths(factor.millionths).to_string(),
        };
        Ok(Self {
            lines,
            factors: cost.factors.into_iter().map(factor).collect(),
            multiplier: record.cost_multiplier.to_string(),
            total_usd: record.cost.to_string(),
            total_nanousd: record.cost.0,
            adds_up: cost.adds_up,
            unknown: (!cost.unknown.is_empty()).then_some(cost.unknown),
        })
    }

    pub(super) fn table(&self) -> String {
        let lines = self.lines.iter().map(|line| {
            let rate = line
                .rate_usd
                .as_deref()
                .map_or_else(|| "no rate".to_owned(), |rate| line.rate_text(rate));
            vec![
                line.what.to_owned(),
                line.count.to_string(),
                rate,
                line.amount_usd.clone(),
            ]
        });
        let last = |what: String, amount: String| vec![what, String::new(), String::new(), amount];
        let factors = self.factors.iter();
        let factors =
            factors.map(|factor| last(format!("factor {}", factor.name), format!("x {}", factor.factor)));
        let multiplier = last("multiplier".to_owned(), format!("x {}", self.multiplier));
        let total = last("total".to_owned(), self.total_usd.clone());
        let multiplier = (!self.lines.is_empty()).then_some(multiplier);
        let all = lines.chain(factors).chain(multiplier).chain([total]);
        let table = rows(&["WHAT", "COUNT", "RATE", "USD"], all);
        match &self.unknown {
            Some(why) => format!("{table}\nno lines: {why}"),
            None if self.adds_up => table,
            None => format!("{table}\nthe lines do not make the total: the price was another one then"),
        }
    }
}

impl Line {
    fn read(line: wire::CostLine) -> Result<Self, Failure> {
        let class = token_class_from_wire("token_class", line.token_class)?;
        let tier = line
            .rate
            .as_ref()
            .map(|rate| service_tier_from_wire("tier", rate.tier));
        let rate = line.rate.as_ref();
        Ok(Self {
            what: class.as_str(),
            count: line.tokens,
            rate_usd: rate.map(|rate| rate::write_usd(PicoUsd(rate.pico_usd))),
            tier: tier.transpose()?.map(rate::tier_name),
            above_tokens: rate.map(|rate| rate.above_tokens),
            amount_usd: PicoUsd(line.amount_picousd).to_string(),
        })
    }

    fn searches(count: u32, each: i64) -> Self {
        Self {
            what: "web_search",
            count: count.into(),
            rate_usd: Some(NanoUsd(each).to_string()),
            tier: None,
            above_tokens: None,
            amount_usd: NanoUsd(each.saturating_mul(count.into())).to_string(),
        }
    }

    fn request(fee: u64) -> Self {
        let fee = NanoUsd(i64::try_from(fee).unwrap_or(i64::MAX)).to_string();
        Self {
            what: "request",
            count: 1,
            rate_usd: Some(fee.clone()),
            tier: None,
            above_tokens: None,
            amount_usd: fee,
        }
    }

    fn rate_text(&self, rate: &str) -> String {
        let Some(tier) = self.tier else {
            return format!("{rate} each");
        };
        let tier = if tier == "standard" {
            String::new()
        } else {
            format!(", {tier}")
        };
        let above = match self.above_tokens {
            None | Some(0) => String::new(),
            Some(above) => format!(", above {above} tokens"),
        };
        format!("{rate} for a million{tier}{above}")
    }
}
