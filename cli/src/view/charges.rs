//! What a month cost, for chargeback.

use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::usage::{COLUMNS, Totals};
use super::{View, fields, or_dash, rows};

/// `penstock usage chargeback`.
#[derive(Debug, Serialize)]
pub(crate) struct Charges {
    pub month: String,
    pub from: String,
    pub to: String,
    /// `user`, `key`, `tag`, `group`.
    pub by: &'static str,
    /// Each call once; with tags and groups, items can be more.
    pub totals: Totals,
    pub items: Vec<Charge>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Charge {
    /// Of a user or key; else `null`.
    pub id: Option<String>,
    /// Empty: of calls without a tag or group.
    pub name: String,
    #[serde(flatten)]
    pub totals: Totals,
}

impl Charges {
    pub(crate) fn read(answer: wire::ListChargesResponse, month: String, by: &'static str) -> Self {
        let charge = |charge: wire::Charge| Charge {
            id: (!charge.id.is_empty()).then_some(charge.id),
            name: charge.name,
            totals: charge.totals.unwrap_or_default().into(),
        };
        Self {
            month,
            from: UnixMs(answer.from_ms).to_string(),
            to: UnixMs(answer.to_ms).to_string(),
            by,
            totals: answer.totals.unwrap_or_default().into(),
            items: answer.charges.into_iter().map(charge).collect(),
        }
    }

    /// A header and a line for each item.
    pub(crate) fn csv(&self) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record([
            "month",
            self.by,
            "id",
            "requests",
            "rejected",
            "input_tokens",
            "output_tokens",
            "cache_read_tokens",
            "cache_write_tokens",
            "cost_usd",
            "cost_nanousd",
        ])?;
        for item in &self.items {
            let (sums, tokens) = (&item.totals, &item.totals.tokens);
            writer.write_record([
                self.month.as_str(),
                &item.name,
                item.id.as_deref().unwrap_or_default(),
                &sums.requests.to_string(),
                &sums.rejected.to_string(),
                &tokens.input_tokens.to_string(),
                &tokens.output_tokens.to_string(),
                &tokens.cache_read_tokens.to_string(),
                &tokens.written().to_string(),
                &sums.cost_usd,
                &sums.cost_nanousd.to_string(),
            ])?;
        }
        Ok(String::from_utf8(writer.into_inner()?)?)
    }
}

impl View for Charges {
    fn table(&self) -> String {
        let span = fields(&[("month", format!("{}: {} to {}", self.month, self.from, self.to))]);
        let by = self.by.to_uppercase();
        let header: Vec<&str> = std::iter::once(by.as_str()).chain(COLUMNS).collect();
        let line =
            |name: String, totals: &Totals| std::iter::once(name).chain(totals.cells()).collect::<Vec<_>>();
        let items = self
            .items
            .iter()
            .map(|item| line(or_dash(Some(&item.name)), &item.totals));
        let total = std::iter::once(line("total".to_owned(), &self.totals));
        format!("{span}\n{}", rows(&header, items.chain(total)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e06_a_spreadsheet_can_read_what_a_month_cost() {
        let totals = wire::UsageTotals {
            requests: 2,
            cost_nanousd: 1_500_000_000,
            ..wire::UsageTotals::default()
        };
        let answer = wire::ListChargesResponse {
            charges: vec![wire::Charge {
                id: String::new(),
                name: "team, \"a\"".to_owned(),
                totals: Some(totals),
            }],
            ..wire::ListChargesResponse::default()
        };
        let csv = Charges::read(answer, "2026-11".to_owned(), "tag").csv().unwrap();
        let mut lines = csv.lines();
        assert!(lines.next().unwrap().starts_with("month,tag,id,requests,"));
        assert_eq!(
            lines.next().unwrap(),
            "2026-11,\"team, \"\"a\"\"\",,2,0,0,0,0,0,1.5,1500000000"
        );
    }
}
