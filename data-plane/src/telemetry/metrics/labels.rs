//! Label sets.

use std::fmt;

use penstock_core::dialect::Dialect;
use penstock_core::snapshot::ProviderEntry;
use penstock_core::usage::Outcome;
use penstock_core::usage::decision::AttemptEnd;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct RequestLabels {
    pub(super) dialect: &'static str,
    pub(super) outcome: &'static str,
    pub(super) status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct DialectLabel {
    pub(super) dialect: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct CodeLabel {
    pub(super) code: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AffinityLabel {
    pub(super) affinity: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct ProviderLabels {
    pub(super) provider: String,
    pub(super) provider_id: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct TokenLabels {
    pub(super) provider: String,
    pub(super) provider_id: String,
    pub(super) class: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct AttemptLabels {
    pub(super) provider: String,
    pub(super) provider_id: String,
    pub(super) end: EndLabel,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct EndLabel(AttemptEnd);

impl RequestLabels {
    pub(super) fn new(dialect: Option<Dialect>, outcome: Outcome, status: u16) -> Self {
        Self {
            dialect: dialect.map_or("none", Dialect::as_str),
            outcome: outcome.as_str(),
            status,
        }
    }
}

impl ProviderLabels {
    pub(super) fn new(provider: &ProviderEntry) -> Self {
        Self {
            provider: provider.provider.name.clone(),
            provider_id: provider.id.to_string(),
        }
    }

    pub(super) fn class(self, class: &'static str) -> TokenLabels {
        TokenLabels {
            provider: self.provider,
            provider_id: self.provider_id,
            class,
        }
    }

    pub(super) fn end(self, end: AttemptEnd) -> AttemptLabels {
        AttemptLabels {
            provider: self.provider,
            provider_id: self.provider_id,
            end: EndLabel(end),
        }
    }
}

impl EncodeLabelValue for EndLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), fmt::Error> {
        match self.0.status() {
            Some(status) => status.encode(encoder),
            None => self.0.word().encode(encoder),
        }
    }
}
