//! Where a webhook's messages go.

use std::path::PathBuf;

use penstock_core::secret::Secret;

use crate::failure::Failure;
use crate::input;
use crate::target::process_env;

/// URLs of chat services are secrets; those of one's own receivers are not, so one may stand on the command line.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
pub(crate) struct WebhookUrl {
    /// https URL of the receiver. One that is a secret does not belong here: use --url-env or --url-file
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Environment variable that holds the URL
    #[arg(long, value_name = "VAR")]
    url_env: Option<String>,
    /// File that holds the URL
    #[arg(long, value_name = "FILE")]
    url_file: Option<PathBuf>,
}

impl WebhookUrl {
    /// None: no flag was given.
    pub(crate) fn read(&self) -> Result<Option<Secret>, Failure> {
        if let Some(url) = &self.url {
            return Ok(Some(Secret::trimmed(url)));
        }
        input::read(
            None,
            self.url_file.as_deref(),
            self.url_env.as_deref(),
            &process_env,
        )
    }

    pub(crate) fn require(&self) -> Result<Secret, Failure> {
        let missing = || Failure::Usage("give the URL with --url, --url-env or --url-file".into());
        self.read()?.ok_or_else(missing)
    }
}
