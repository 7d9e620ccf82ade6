//! What an import of prices changes: each price once, with what is different about it.

use std::collections::BTreeMap;

use penstock_core::price::{Price, Rate};
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;

use super::{View, rows};
use crate::args::rate;
use crate::failure::Failure;

#[derive(Debug, Serialize)]
pub(crate) struct PriceImport {
    pub added: Vec<Difference>,
    pub changed: Vec<Difference>,
    pub removed: Vec<Difference>,
    /// Manual prices, which stay.
    pub kept: Vec<String>,
    pub left_out: BTreeMap<String, u64>,
    /// In the file.
    pub prices: u64,
    pub digest: String,
    /// None: nothing is changed.
    pub revision: Option<u64>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Difference {
    pub name: String,
    pub fields: Vec<Field>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Field {
    /// A rate, such as `input` or `output:batch:200000`, in USD for a million tokens; or another field.
    pub what: String,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl PriceImport {
    pub(crate) fn read(answer: wire::ImportPricesResponse) -> Result<Self, Failure> {
        let mut import = Self {
            added: Vec::new(),
            changed: Vec::new(),
            removed: Vec::new(),
            kept: answer.kept,
            left_out: answer
                .left_out
                .into_iter()
                .map(|left| (left.reason, left.count))
                .collect(),
            prices: answer.prices,
            digest: answer.digest,
            revision: (answer.revision != 0).then_some(answer.revision),
        };
        for difference in answer.differences {
            let before = difference.before.map(convert::price_from_wire).transpose()?;
            let after = difference.after.map(convert::price_from_wire).transpose()?;
            let list = match (&before, &after) {
                (None, _) => &mut import.added,
                (Some(_), Some(_)) => &mut import.changed,
                (Some(_), None) => &mut import.removed,
            };
            list.push(Difference {
                name: difference.name,
                fields: different(before.as_ref(), after.as_ref()),
            });
        }
        Ok(import)
    }
}

/// The fields of which one side has another value.
fn different(before: Option<&Price>, after: Option<&Price>) -> Vec<Field> {
    let (before, after) = (
        before.map(told).unwrap_or_default(),
        after.map(told).unwrap_or_default(),
    );
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let fields = names.into_iter().map(|what| Field {
        what: what.clone(),
        before: before.get(what).cloned(),
        after: after.get(what).cloned(),
    });
    fields.filter(|field| field.before != field.after).collect()
}

fn told(price: &Price) -> BTreeMap<String, String> {
    let mut told: BTreeMap<String, String> = price.rates.iter().map(rate_told).collect();
    let mut put =
        |what: &str, value: Option<String>| told.extend(value.map(|value| (what.to_owned(), value)));
    put(
        "web_search",
        (price.web_search.0 != 0).then(|| price.web_search.to_string()),
    );
    put(
        "request",
        (price.request.0 != 0).then(|| price.request.to_string()),
    );
    put(
        "max_input_tokens",
        price.max_input_tokens.map(|max| max.to_string()),
    );
    put(
        "max_output_tokens",
        price.max_output_tokens.map(|max| max.to_string()),
    );
    let withdrawn = (!price.deprecation_date.is_empty()).then(|| price.deprecation_date.clone());
    put("deprecation_date", withdrawn);
    for factor in &price.factors {
        put(
            &format!("factor {}", factor.name),
            Some(factor.millionths.to_string()),
        );
    }
    told
}

fn rate_told(rate: &Rate) -> (String, String) {
    let mut what = rate.class.as_str().to_owned();
    let tier = rate::tier_name(rate.tier);
    if tier != "standard" {
        what = format!("{what}:{tier}");
    }
    if rate.above_tokens > 0 {
        what = format!("{what}:{}", rate.above_tokens);
    }
    (what, rate::write_usd(rate.pico_usd))
}

impl View for PriceImport {
    fn table(&self) -> String {
        let lists = [("+", &self.added), ("~", &self.changed), ("-", &self.removed)];
        let lines = lists.into_iter().flat_map(|(sign, list)| {
            list.iter().map(move |difference| {
                let fields = difference.fields.iter().map(|field| {
                    let side = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
                    match sign {
                        "~" => format!("{} {} -> {}", field.what, side(&field.before), side(&field.after)),
                        "+" => format!("{} {}", field.what, side(&field.after)),
                        _ => format!("{} {}", field.what, side(&field.before)),
                    }
                });
                vec![
                    sign.to_owned(),
                    difference.name.clone(),
                    fields.collect::<Vec<_>>().join(", "),
                ]
            })
        });
        let mut table = rows(&["", "PRICE", "USD PER MILLION TOKENS"], lines);
        let counts = format!(
            "\n{} prices in the file: {} added, {} changed, {} removed",
            self.prices,
            self.added.len(),
            self.changed.len(),
            self.removed.len()
        );
        table.push_str(&counts);
        if !self.kept.is_empty() {
            table.push_str(&format!(
                "\nkept, being manual or not readable in the file: {}",
                self.kept.join(", ")
            ));
        }
        for (reason, count) in &self.left_out {
            table.push_str(&format!("\nleft out: {count} {reason}"));
        }
        if let Some(revision) = self.revision {
            table.push_str(&format!("\nrevision {revision}"));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use penstock_core::money::PicoUsd;
    use penstock_core::price::{ServiceTier, TokenClass};

    use super::*;

    fn price(input: u64, output: u64) -> Price {
        let rate = |class, pico_usd| Rate {
            class,
            tier: ServiceTier::Standard,
            above_tokens: 0,
            pico_usd: PicoUsd(pico_usd),
        };
        Price::of_rates(
            "openai",
            vec![rate(TokenClass::Input, input), rate(TokenClass::Output, output)],
        )
    }

    #[test]
    fn e04_a_difference_shows_old_and_new_and_nothing_else() {
        let fields = different(
            Some(&price(3_000_000, 15_000_000)),
            Some(&price(2_500_000, 15_000_000)),
        );
        let expected = Field {
            what: "input".into(),
            before: Some("3".into()),
            after: Some("2.5".into()),
        };
        assert_eq!(fields, [expected]);
        assert_eq!(different(None, Some(&price(1, 1))).len(), 2);
    }
}
