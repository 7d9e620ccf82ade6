//! The flags of a provider that say which dialects it speaks, and for whom it is translated.

use std::str::FromStr;

use penstock_core::dialect::Dialect;
use penstock_core::provider::Provider;

use super::list::{self, Entry};
use super::set;

const HEADING: &str = "Dialects";

/// On an update only what is given changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct SpeechFlags {
    /// What it speaks: anthropic, openai-chat, openai-responses, openai-embeddings, gemini; repeatable, '' for what its
    /// kind usually does
    #[arg(help_heading = HEADING, long = "dialect", value_name = "API", value_delimiter = ',')]
    pub dialects: Option<Vec<Entry<DialectArg>>>,

    /// Callers of this dialect may be served by translation: anthropic, openai-chat, openai-responses; repeatable, ''
    /// for none
    #[arg(help_heading = HEADING, long = "translate", value_name = "API", value_delimiter = ',')]
    pub translate: Option<Vec<Entry<DialectArg>>>,

    /// Azure's dated API: 2024-10-21; '' for its v1 API
    #[arg(help_heading = HEADING, long, value_name = "VERSION")]
    pub api_version: Option<Entry<String>>,
}

/// A dialect by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DialectArg(Dialect);

impl SpeechFlags {
    pub(crate) fn apply(&self, provider: &mut Provider) {
        let dialect = |given: &DialectArg| given.0;
        list::replace_with(&mut provider.dialects, self.dialects.as_deref(), dialect);
        list::replace_with(&mut provider.translate, self.translate.as_deref(), dialect);
        set(
            &mut provider.api_version,
            self.api_version.clone().map(Entry::into_option),
        );
    }
}

impl FromStr for DialectArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Dialect::ALL.into_iter().find(|dialect| dialect.as_str() == text);
        found.map(Self).ok_or_else(|| {
            let known = Dialect::ALL.map(Dialect::as_str).join(", ");
            format!("is none of {known}")
        })
    }
}
