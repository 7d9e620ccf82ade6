//! `penstock diagnose`: a bundle for whoever helps.
//!
//! Everything in it comes from RPCs that show no secret, and is masked once more on the way ([`mask`]). What cannot be
//! had (the control plane is away, the token may not see it) is named in the manifest, so that a bundle of a broken
//! installation is a bundle too. It is written beside its place and moved there when it is whole, readable to its owner.

mod archive;
mod mask;
mod parts;

use std::path::PathBuf;

use serde::Serialize;

use super::session::Session;
use crate::args::moment;
use crate::failure::Failure;
use crate::output;
use crate::remote::Services;
use crate::view::View;

/// Collect a bundle without secrets for whoever helps: versions, states, findings, the last failures, the configuration
#[derive(clap::Args)]
pub(crate) struct Diagnose {
    /// Where it is written (a .tar.gz)
    #[arg(
        short = 'f',
        long = "file",
        value_name = "FILE",
        default_value = "penstock-diagnose.tar.gz"
    )]
    file: PathBuf,
    /// Connect to no provider
    #[arg(long)]
    offline: bool,
}

/// What is in it.
#[derive(Debug, Serialize)]
pub(crate) struct Manifest {
    pub made_at: String,
    /// Of this program.
    pub version: &'static str,
    pub system: String,
    pub server: String,
    pub files: Vec<String>,
    /// What is not in it, and why.
    pub missing: Vec<Missing>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Missing {
    pub file: String,
    pub why: String,
}

/// Files of a bundle as they are gathered.
#[derive(Default)]
struct Bundle {
    files: Vec<(String, String)>,
    missing: Vec<Missing>,
}

impl Diagnose {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let target = session.target()?;
        let mut bundle = Bundle::default();
        match Services::connect(&target).await {
            Ok(services) => parts::gather(&services, &target, self.offline, &mut bundle).await,
            Err(failure) => bundle.add("control-plane.json", Err(failure)),
        }
        let manifest = Manifest {
            made_at: moment::now().to_string(),
            version: env!("CARGO_PKG_VERSION"),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            server: target.server.clone(),
            files: bundle.files.iter().map(|(name, _)| name.clone()).collect(),
            missing: bundle.missing,
        };
        let text = serde_json::to_string_pretty(&manifest).map_err(Failure::other)?;
        bundle.files.insert(0, ("manifest.json".to_owned(), text));
        // To be found where it must not be.
        let token = target.token.expose();
        let files = bundle
            .files
            .into_iter()
            .map(|(name, text)| (name, mask::mask(&text, token)));
        archive::write(&self.file, &files.collect::<Vec<_>>())?;
        output::remark(format_args!(
            "wrote {}; look through it before you pass it on",
            self.file.display()
        ));
        session.print(&manifest)
    }
}

impl Bundle {
    /// A text that was had, or why not.
    fn add(&mut self, name: &str, text: Result<String, Failure>) {
        match text {
            Ok(text) => self.files.push((name.to_owned(), text)),
            Err(failure) => self.missing.push(Missing {
                file: name.to_owned(),
                why: failure.to_string(),
            }),
        }
    }
}

impl View for Manifest {
    fn table(&self) -> String {
        let missing = self.missing.iter().map(|part| {
            let why = part.why.lines().next().unwrap_or_default();
            format!("MISSING {}: {why}", part.file)
        });
        let lines: Vec<_> = self.files.iter().cloned().chain(missing).collect();
        lines.join("\n")
    }
}
