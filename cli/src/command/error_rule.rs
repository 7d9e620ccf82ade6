//! `penstock error-rule`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use penstock_core::provider::{Header, ProviderKind};
use penstock_proto::admin::v1 as wire;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_proto::convert::enums::provider_kind_to_wire;

use super::edit::Edit;
use super::named::Named;
use super::session::{Session, part};
use crate::args::choice;
use crate::args::error_rule::RuleFlags;
use crate::args::provider::HeaderArg;
use crate::failure::Failure;
use crate::remote::{Reason, Services, all};
use crate::view;

/// A larger body is no error.
const MAX_BODY: u64 = 64 * 1024;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a rule; it is in force on every data plane within a second
    Create {
        #[arg(long)]
        name: String,
        #[command(flatten)]
        fields: RuleFlags,
        #[command(flatten)]
        reason: Reason,
    },
    /// All rules, in the order in which they are tried
    List,
    /// One rule
    Get {
        /// The rule's name
        name: String,
    },
    /// Change the fields that are given
    Update {
        #[command(flatten)]
        edit: Edit,
        #[command(flatten)]
        fields: RuleFlags,
    },
    /// Delete a rule
    Delete(Named),
    /// What an error would mean, and which rule or row says so; nothing is sent to any provider
    Test(Trial),
}

/// An error to be judged.
#[derive(clap::Args)]
pub(crate) struct Trial {
    /// Whose error it is: name or id
    #[arg(long, required_unless_present = "kind", conflicts_with = "kind")]
    provider: Option<String>,

    /// In place of a provider: any of this kind
    #[arg(long, value_parser = choice::provider_kind())]
    kind: Option<ProviderKind>,

    /// With which status it came; 200: inside an answer
    #[arg(long, value_name = "STATUS")]
    status: u16,

    /// Its body
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "body_file",
        default_value = "",
        hide_default_value = true
    )]
    body: String,

    /// File that holds its body; `-`: standard input
    #[arg(long, value_name = "FILE")]
    body_file: Option<PathBuf>,

    /// Header of it, 'name: value'; repeatable
    #[arg(long = "header", value_name = "HEADER")]
    headers: Vec<HeaderArg>,
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create { name, fields, reason } => create(session, name, &fields, &reason).await,
            Self::List => list(session).await,
            Self::Get { name } => {
                let found = read(&session.connect().await?, &name).await?;
                session.print(&view::ErrorRule::read(found)?)
            }
            Self::Update { edit, fields } => update(session, &edit, &fields).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Test(trial) => test(session, trial).await,
        }
    }
}

async fn create(session: &Session, name: String, fields: &RuleFlags, reason: &Reason) -> Result<(), Failure> {
    let rule = fields
        .create(&name)
        .ok_or_else(|| Failure::Usage("say with --class what the error means".into()))?;
    let request = wire::CreateErrorRuleRequest {
        name,
        spec: Some(convert::error_rule_to_wire(&rule)),
        change: reason.info(),
    };
    let services = session.connect().await?;
    let answer = services
        .error_rules()
        .create_error_rule(request)
        .await?
        .into_inner();
    session.print_changed(
        "error_rule",
        answer.error_rule,
        answer.revision,
        view::ErrorRule::read,
    )
}

async fn update(session: &Session, edit: &Edit, fields: &RuleFlags) -> Result<(), Failure> {
    let given = *fields != RuleFlags::default();
    let answer = edit.run(session, given, async |services: &Services| {
        let found = read(services, edit.name()).await?;
        let mut rule = convert::error_rule_from_wire(&found.name, part("spec", found.spec)?)?;
        fields.apply(&mut rule);
        let request = wire::UpdateErrorRuleRequest {
            name: found.name,
            expected_version: edit.version(found.version),
            spec: Some(convert::error_rule_to_wire(&rule)),
            change: edit.reason(),
            update_mask: None,
        };
        Ok(services
            .error_rules()
            .update_error_rule(request)
            .await?
            .into_inner())
    });
    let answer = answer.await?;
    session.print_changed(
        "error_rule",
        answer.error_rule,
        answer.revision,
        view::ErrorRule::read,
    )
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let rules = all(async |page| {
        let request = wire::ListErrorRulesRequest { page };
        let answer = services
            .error_rules()
            .list_error_rules(request)
            .await?
            .into_inner();
        Ok((answer.error_rules, answer.page))
    });
    let mut rules = rules.await?;
    let order = |rule: &wire::ErrorRule| (rule.spec.as_ref().map(|spec| spec.priority), rule.name.clone());
    rules.sort_by_key(order);
    session.print_list(rules, view::ErrorRule::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted error rule {}", named.name);
    let request = wire::DeleteErrorRuleRequest {
        name: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let services = session.connect().await?;
    let answer = services.error_rules().delete_error_rule(request).await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn test(session: &Session, trial: Trial) -> Result<(), Failure> {
    let body = match &trial.body_file {
        Some(path) => read_body(path)?,
        None => trial.body.into_bytes(),
    };
    let header = |header: HeaderArg| {
        let Header { name, value } = header.into();
        config::Header { name, value }
    };
    let request = wire::TestErrorRuleRequest {
        provider: trial.provider.unwrap_or_default(),
        provider_kind: trial.kind.map_or(0, provider_kind_to_wire),
        status: trial.status.into(),
        body,
        headers: trial.headers.into_iter().map(header).collect(),
        ..wire::TestErrorRuleRequest::default()
    };
    let services = session.connect().await?;
    let answer = services
        .error_rules()
        .test_error_rule(request)
        .await?
        .into_inner();
    session.print(&view::Judged::read(answer)?)
}

fn read_body(path: &Path) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    let read = match path == Path::new("-") {
        true => io::stdin().lock().take(MAX_BODY + 1).read_to_end(&mut body),
        false => std::fs::File::open(path).and_then(|file| file.take(MAX_BODY + 1).read_to_end(&mut body)),
    };
    read.map_err(|source| Failure::File {
        action: "read",
        path: path.to_owned(),
        source,
    })?;
    Ok(body)
}

async fn read(services: &Services, name: &str) -> Result<wire::ErrorRule, Failure> {
    let request = wire::GetErrorRuleRequest {
        name: name.to_owned(),
    };
    let answer = services.error_rules().get_error_rule(request).await?.into_inner();
    part("error_rule", answer.error_rule)
}
