//! `penstock export`: the configuration as files, without secrets.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use penstock_core::resource::Kind;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_proto::convert::enums::kind_to_wire;

use super::session::Session;
use crate::args::choice;
use crate::failure::Failure;
use crate::manifest::{schema, write};
use crate::output;

/// Write the configuration as YAML, without secrets, always in the same order
#[derive(clap::Args)]
pub(crate) struct Export {
    /// A file, or a folder, which gets a file for each kind; standard output if left out
    #[arg(short = 'f', long = "file", value_name = "FILE|DIR")]
    file: Option<PathBuf>,
    /// Only these kinds; repeatable
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = choice::kind())]
    kinds: Vec<Kind>,
    /// Also shipped and imported prices
    #[arg(long)]
    all_prices: bool,
}

impl Export {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let request = wire::ExportManifestsRequest {
            kinds: self.kinds.iter().copied().map(kind_to_wire).collect(),
            all_prices: self.all_prices,
        };
        let services = session.connect().await?;
        let answer = services.manifests().export_manifests(request).await?.into_inner();
        for warning in &answer.warnings {
            output::remark(format_args!("warning: {warning}"));
        }
        let mut documents: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        let mut all = Vec::new();
        for manifest in &answer.manifests {
            let document = write::document(manifest)?;
            let kind = convert::manifest_kind(manifest).map_or("other", Kind::as_str);
            documents.entry(kind).or_default().push(document.clone());
            all.push(document);
        }
        match &self.file {
            None => output::raw(&all.join("---\n")),
            Some(path) if path.is_dir() || path.as_os_str().to_string_lossy().ends_with('/') => {
                self.folder(path, &documents)
            }
            Some(path) => save(path, &all.join("---\n")),
        }
    }

    /// A file for each kind. One of a kind that has no resources any more goes.
    fn folder(&self, folder: &Path, documents: &BTreeMap<&str, Vec<String>>) -> Result<(), Failure> {
        std::fs::create_dir_all(folder).map_err(|source| cannot("create", folder, source))?;
        let asked = |kind: &Kind| self.kinds.is_empty() || self.kinds.contains(kind);
        for kind in Kind::ALL.into_iter().filter(asked) {
            let path = folder.join(format!("{}s.yaml", kind.as_str().replace('_', "-")));
            match documents.get(kind.as_str()) {
                Some(documents) => save(&path, &documents.join("---\n"))?,
                None if path.exists() && kind != Kind::ImportSuffix => {
                    std::fs::remove_file(&path).map_err(|source| cannot("remove", &path, source))?;
                }
                None => {}
            }
        }
        Ok(())
    }
}

fn save(path: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(path, text).map_err(|source| cannot("write", path, source))
}

fn cannot(action: &'static str, path: &Path, source: std::io::Error) -> Failure {
    Failure::File {
        action,
        path: path.to_owned(),
        source,
    }
}

/// `penstock schema`
pub(crate) fn print_schema() -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(&schema::schema()).map_err(Failure::other)?;
    output::raw(&text)
}
