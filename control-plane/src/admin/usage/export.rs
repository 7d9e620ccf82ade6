//! Single records as a file in pieces, oldest first.
//!
//! A page of records is read, written and sent before the next one is read, so neither side holds more than a page, and a
//! reader that is slow makes the reading slow. Each page goes on behind the last id: records that come in meanwhile
//! are in the file if their id is higher. Cleaning may take records away before they are read.

use std::borrow::Cow;

use penstock_core::id::RequestId;
use penstock_core::invalid::Invalid;
use penstock_core::money::NanoUsd;
use penstock_core::price::ServiceTier;
use penstock_core::resource::ResourceRef;
use penstock_core::setting::UnpricedAction;
use penstock_core::usage::UsageRecord;
use penstock_proto::admin::v1 as wire;
use penstock_store::UsageFilter;
use serde::Serialize;
use tokio_stream::Stream;
use tonic::Status;

use super::super::scope::Scope;
use super::super::{labels, status};
use super::{filter, shown};
use crate::context::Context;
use crate::index::Index;

/// Records of a piece.
const PAGE: u32 = 1_000;

/// An export under way.
pub(super) struct Export {
    context: Context,
    scope: Scope,
    filter: UsageFilter,
    csv: bool,
    after: Option<RequestId>,
    records: u64,
    through_ms: i64,
    begun: bool,
}

/// One record as a line: these columns, in this order; new ones come at the end.
#[derive(Serialize)]
struct Line<'a> {
    id: RequestId,
    started_at: String,
    user_id: String,
    user: String,
    key_id: String,
    key: String,
    provider_id: Option<String>,
    provider: Option<String>,
    dialect: &'a str,
    model: Cow<'a, str>,
    model_served: Cow<'a, str>,
    stream: bool,
    status: u16,
    outcome: &'static str,
    code: Option<&'a str>,
    input_tokens: u64,
    output_tokens: u64,
    cache_read_tokens: u64,
    cache_write_tokens: u64,
    cache_write_1h_tokens: u64,
    cache_write_12h_tokens: u64,
    reasoning_tokens: u64,
    web_searches: u32,
    tier: ServiceTier,
    estimated: bool,
    cost_usd: NanoUsdText,
    cost_nanousd: i64,
    price_name: Option<&'a str>,
    price_version: Option<u64>,
    cost_multiplier: String,
    unpriced: Option<&'static str>,
    duration_ms: u32,
    first_byte_ms: Option<u32>,
    attempts: u32,
    session: Option<Cow<'a, str>>,
    revision: u64,
    node_id: &'a str,
    upstream_request_id: Option<Cow<'a, str>>,
    audio_input_tokens: u64,
    image_input_tokens: u64,
    audio_output_tokens: u64,
    image_output_tokens: u64,
}

impl Line<'_> {
    /// What callers and providers choose must not be a formula to whoever opens the file.
    fn guard(&mut self) {
        let texts = [Some(&mut self.model), Some(&mut self.model_served)];
        let optional = [self.session.as_mut(), self.upstream_request_id.as_mut()];
        for text in texts.into_iter().chain(optional).flatten() {
            if is_formula(text) {
                *text = Cow::Owned(format!("'{text}"));
            }
        }
    }
}

fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A decimal number of USD.
struct NanoUsdText(NanoUsd);

impl Serialize for NanoUsdText {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl Export {
    pub(super) async fn begin(
        context: &Context,
        scope: Scope,
        request: wire::ExportUsageRequest,
    ) -> Result<Self, Status> {
        use wire::ExportFormat as Wire;
        let format = request.format;
        let unknown = |_| {
            let problem = format!("has the value {format}, which this release does not know");
            status::invalid(&Invalid::new("format", problem))
        };
        let csv = match Wire::try_from(format).map_err(unknown)? {
            Wire::Unspecified | Wire::Csv => true,
            Wire::Jsonl => false,
        };
        Ok(Self {
            filter: filter::read(context, scope, request.filter).await?,
            context: context.clone(),
            scope,
            csv,
            after: None,
            records: 0,
            through_ms: 0,
            begun: false,
        })
    }

    /// At least one piece: the header.
    pub(super) fn pieces(self) -> impl Stream<Item = Result<wire::ExportUsageResponse, Status>> + Send {
        futures::stream::unfold(Some(self), |export| async {
            let mut export = export?;
            match export.piece().await {
                Ok(Some(piece)) => Some((Ok(piece), Some(export))),
                Ok(None) => None,
                Err(status) => Some((Err(status), None)),
            }
        })
    }

    async fn piece(&mut self) -> Result<Option<wire::ExportUsageResponse>, Status> {
        let page = self
            .context
            .store
            .usage_after(&self.filter, self.after, PAGE)
            .await;
        let page = page.map_err(status::from_store)?;
        let page: Vec<UsageRecord> = page.into_iter().map(|record| shown(record, self.scope)).collect();
        if page.is_empty() && self.begun {
            return Ok(None);
        }
        let index = &self.context.index;
        let data = match self.csv {
            true => csv(index, &page, !self.begun),
            false => jsonl(index, &page),
        };
        let data = data.map_err(|error| {
            tracing::error!(error, "usage records cannot be written for an export");
            Status::internal("the records cannot be written")
        })?;
        self.begun = true;
        self.records = self
            .records
            .saturating_add(u64::try_from(page.len()).unwrap_or(0));
        if let Some(last) = page.last() {
            self.after = Some(last.id);
            self.through_ms = last.started_at.0;
        }
        Ok(Some(wire::ExportUsageResponse {
            data,
            records: self.records,
            through_ms: self.through_ms,
        }))
    }
}

fn csv(index: &Index, page: &[UsageRecord], header: bool) -> Result<Vec<u8>, String> {
    let mut writer = csv::WriterBuilder::new()
        .has_headers(header)
        .from_writer(Vec::new());
    if page.is_empty() && header {
        writer.write_record(COLUMNS).map_err(|error| error.to_string())?;
    }
    for record in page {
        let mut line = Line::of(index, record);
        line.guard();
        writer.serialize(line).map_err(|error| error.to_string())?;
    }
    writer.into_inner().map_err(|error| error.to_string())
}

fn jsonl(index: &Index, page: &[UsageRecord]) -> Result<Vec<u8>, String> {
    let mut data = Vec::new();
    for record in page {
        serde_json::to_writer(&mut data, &Line::of(index, record)).map_err(|error| error.to_string())?;
        data.push(b'\n');
    }
    Ok(data)
}

const COLUMNS: [&str; 42] = [
    "id",
    "started_at",
    "user_id",
    "user",
    "key_id",
    "key",
    "provider_id",
    "provider",
    "dialect",
    "model",
    "model_served",
    "stream",
    "status",
    "outcome",
    "code",
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "cache_write_1h_tokens",
    "cache_write_12h_tokens",
    "reasoning_tokens",
    "web_searches",
    "tier",
    "estimated",
    "cost_usd",
    "cost_nanousd",
    "price_name",
    "price_version",
    "cost_multiplier",
    "unpriced",
    "duration_ms",
    "first_byte_ms",
    "attempts",
    "session",
    "revision",
    "node_id",
    "upstream_request_id",
    "audio_input_tokens",
    "image_input_tokens",
    "audio_output_tokens",
    "image_output_tokens",
];

impl<'a> Line<'a> {
    fn of(index: &Index, record: &'a UsageRecord) -> Self {
        let named = |reference: &ResourceRef| {
            let id = reference.id();
            (labels::name(index, reference).unwrap_or_else(|| id.clone()), id)
        };
        let (user, user_id) = named(&ResourceRef::User(record.user_id));
        let (key, key_id) = named(&ResourceRef::Key(record.key_id));
        let provider = record.provider_id.map(|id| named(&ResourceRef::Provider(id)));
        let (provider, provider_id) = provider.unzip();
        let (price_name, price_version) = match &record.price {
            Some((name, version)) => (Some(name.as_str()), Some(*version)),
            None => (None, None),
        };
        let tokens = &record.tokens;
        Self {
            id: record.id,
            started_at: record.started_at.to_string(),
            user_id,
            user,
            key_id,
            key,
            provider_id,
            provider,
            dialect: &record.dialect,
            model: record.model.as_str().into(),
            model_served: record.model_served.as_str().into(),
            stream: record.stream,
            status: record.status,
            outcome: record.outcome.as_str(),
            code: record.code.as_deref(),
            input_tokens: tokens.input,
            output_tokens: tokens.output,
            cache_read_tokens: tokens.cache_read,
            cache_write_tokens: tokens.cache_write,
            cache_write_1h_tokens: tokens.cache_write_1h,
            cache_write_12h_tokens: tokens.cache_write_12h,
            reasoning_tokens: tokens.reasoning,
            web_searches: tokens.web_searches,
            tier: tokens.tier,
            estimated: record.estimated,
            cost_usd: NanoUsdText(record.cost),
            cost_nanousd: record.cost.0,
            price_name,
            price_version,
            cost_multiplier: record.cost_multiplier.to_string(),
            unpriced: record.unpriced.map(UnpricedAction::as_str),
            duration_ms: record.duration_ms,
            first_byte_ms: record.first_byte_ms,
            attempts: record.attempts,
            session: record.session.as_deref().map(Cow::from),
            revision: record.revision,
            node_id: &record.node_id,
            upstream_request_id: record.upstream_request_id.as_deref().map(Cow::from),
            audio_input_tokens: tokens.audio_input,
            image_input_tokens: tokens.image_input,
            audio_output_tokens: tokens.audio_output,
            image_output_tokens: tokens.image_output,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e06_what_a_spreadsheet_would_run_is_told_from_names() {
        for formula in ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "\t=1"] {
            assert!(is_formula(formula), "{formula}");
        }
        for name in ["claude-opus-4-8", "req_1", ""] {
            assert!(!is_formula(name), "{name}");
        }
    }

    #[tokio::test]
    async fn e06_no_text_of_a_call_is_run_by_a_spreadsheet() {
        let context = crate::tests::context(&crate::tests::fake_store::FakeStore::new()).await;
        let record = UsageRecord {
            model: "=1".into(),
            model_served: "=1".into(),
            session: Some("=1".into()),
            upstream_request_id: Some("=1".into()),
            ..crate::reporter::record(1)
        };
        let text = |data: Result<Vec<u8>, String>| String::from_utf8(data.unwrap()).unwrap();
        let csv = text(csv(&context.index, std::slice::from_ref(&record), true));
        assert_eq!(
            (csv.matches("'=1").count(), csv.matches(",=1").count()),
            (4, 0),
            "{csv}"
        );
        let jsonl = text(jsonl(&context.index, &[record]));
        assert_eq!(
            jsonl.matches("\"=1\"").count(),
            4,
            "programs get it as it is: {jsonl}"
        );
    }
}
