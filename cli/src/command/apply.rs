//! `penstock apply`, `penstock diff -f`: the configuration as files declare it.

use std::path::PathBuf;

use penstock_core::resource::Kind;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert::enums::kind_to_wire;

use super::session::Session;
use crate::args::choice;
use crate::failure::Failure;
use crate::manifest::files;
use crate::manifest::problem::{self, Place, Problem};
use crate::manifest::read::{self, Declared};
use crate::output;
use crate::remote::{self, ATTEMPTS, Reason, Services};
use crate::target::process_env;
use crate::view;

/// What is declared, and what else goes.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Files {
    /// A YAML file, a folder with *.yaml and *.yml files, or `-` for standard input; repeatable
    #[arg(short = 'f', long = "file", value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,

    /// Also what goes: resources that are not declared, of the kinds that are
    #[arg(long)]
    prune: bool,

    /// Only these kinds are looked at, and pruned; repeatable
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = choice::kind())]
    kinds: Vec<Kind>,

    /// Let a secret that is given for an existing key take the place of its own, which stops working at once
    #[arg(long)]
    replace_key_secrets: bool,
}

/// Make the configuration as files declare it, in one revision
///
/// What is left out of a resource has its default; a secret that is left out stays. Applying twice changes nothing.
#[derive(clap::Args)]
pub(crate) struct Apply {
    #[command(flatten)]
    files: Files,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Delete what --prune finds
    #[arg(long)]
    yes: bool,
    /// Refuse if the configuration is not at this revision any more
    #[arg(long, value_name = "REVISION", default_value_t = 0, hide_default_value = true)]
    expected_revision: u64,
    #[command(flatten)]
    reason: Reason,
}

/// What differs between files and the configuration; prints nothing when nothing does
#[derive(clap::Args)]
pub(crate) struct Diff {
    #[command(flatten)]
    files: Files,
    /// End with exit code 1 when something differs
    #[arg(long)]
    exit_code: bool,
}

impl Apply {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let declared = self.files.read()?;
        let services = session.connect().await?;
        let request = |dry_run| wire::ApplyManifestsRequest {
            dry_run,
            expected_revision: self.expected_revision,
            change: self.reason.info(),
            ..self.files.request(&declared)
        };
        if self.files.prune && !self.yes && !self.dry_run {
            let planned = ask(&services, &declared, request(true)).await?;
            refuse_deletions(&planned)?;
        }
        // What is declared stays the same, so that it is compared again when somebody else was faster.
        let attempts = if self.expected_revision == 0 { ATTEMPTS } else { 1 };
        let attempt = async || ask(&services, &declared, request(self.dry_run)).await;
        let answer = remote::edit(attempts, attempt).await?;
        session.print(&view::Applied::read(answer, self.dry_run))
    }
}

impl Diff {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let declared = self.files.read()?;
        let services = session.connect().await?;
        let request = wire::ApplyManifestsRequest {
            dry_run: true,
            ..self.files.request(&declared)
        };
        let answer = ask(&services, &declared, request).await?;
        let applied = view::Applied::read(answer, true);
        let differs = applied.differs();
        session.print_difference(&view::Drift(applied))?;
        match differs && self.exit_code {
            true => Err(Failure::Differs),
            false => Ok(()),
        }
    }
}

impl Files {
    fn read(&self) -> Result<Declared, Failure> {
        let mut declared = read::read(&files::read(&self.files)?, &process_env)?;
        for warning in &declared.warnings {
            output::remark(format_args!("warning: {warning}"));
        }
        if !self.kinds.is_empty() {
            declared
                .resources
                .retain(|resource| self.kinds.contains(&resource.kind));
        }
        if declared.resources.is_empty() && self.kinds.is_empty() {
            return Err(Failure::Input("the files declare nothing".into()));
        }
        Ok(declared)
    }

    fn request(&self, declared: &Declared) -> wire::ApplyManifestsRequest {
        let mut prune: Vec<Kind> = match self.kinds.is_empty() {
            true => declared.resources.iter().map(|resource| resource.kind).collect(),
            false => self.kinds.clone(),
        };
        prune.sort();
        prune.dedup();
        let prune = prune.into_iter().filter(|_| self.prune).map(kind_to_wire);
        wire::ApplyManifestsRequest {
            manifests: declared
                .resources
                .iter()
                .map(|resource| resource.manifest.clone())
                .collect(),
            prune_kinds: prune.collect(),
            replace_key_secrets: self.replace_key_secrets,
            ..wire::ApplyManifestsRequest::default()
        }
    }
}

/// The answer, unless there are problems.
async fn ask(
    services: &Services,
    declared: &Declared,
    request: wire::ApplyManifestsRequest,
) -> Result<wire::ApplyManifestsResponse, Failure> {
    let answer = services.manifests().apply_manifests(request).await?.into_inner();
    if answer.problems.is_empty() {
        return Ok(answer);
    }
    let told = |found: wire::ManifestProblem| {
        let resource = found
            .manifest
            .and_then(|i| declared.resources.get(usize::try_from(i).ok()?));
        let invalid = penstock_core::invalid::Invalid::new(found.field, found.problem);
        match resource {
            Some(resource) => resource.problem(&invalid),
            None => Problem {
                place: Place::default(),
                resource: invalid.field,
                field: String::new(),
                text: invalid.problem,
            },
        }
    };
    Err(problem::failure(answer.problems.into_iter().map(told).collect()))
}

fn refuse_deletions(planned: &wire::ApplyManifestsResponse) -> Result<(), Failure> {
    let deleted = planned
        .results
        .iter()
        .filter(|result| result.action() == wire::ApplyAction::Deleted);
    let labels =
        deleted.filter_map(|result| result.change.as_ref().map(|change| format!("- {}", change.label)));
    let labels: Vec<String> = labels.collect();
    if labels.is_empty() {
        return Ok(());
    }
    Err(Failure::Input(format!(
        "{} resources would be deleted, so nothing was changed: look at them, and give --yes\n{}",
        labels.len(),
        labels.join("\n")
    )))
}
