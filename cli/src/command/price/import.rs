//! `penstock price import`.

use std::io::Read;

use penstock_core::price::import::MAX_BYTES;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::import_prices_request::Source;

use crate::command::session::Session;
use crate::failure::Failure;
use crate::remote::{Reason, Services};
use crate::view;

#[derive(clap::Args)]
pub(crate) struct Import {
    /// A file, `-` for standard input, or an https:// URL, which the control plane fetches
    #[arg(value_name = "FILE|URL")]
    from: String,
    /// Take it over; without it the differences are shown and nothing is changed
    #[arg(long)]
    yes: bool,
    /// Prices of an earlier import that are not in the file stay
    #[arg(long)]
    keep_missing: bool,
    /// Also plain http:// URLs
    #[arg(long)]
    allow_http: bool,
    #[command(flatten)]
    reason: Reason,
}

impl Import {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let source = match self.from.contains("://") {
            true => Source::Url(self.from.clone()),
            false => Source::File(read(&self.from)?),
        };
        let services = session.connect().await?;
        let shown = self.ask(&services, source.clone(), false, String::new()).await?;
        let shown = match self.yes && !shown.differences.is_empty() {
            true => {
                let digest = shown.digest.clone();
                self.ask(&services, source, true, digest).await?
            }
            false => shown,
        };
        if shown.revision == 0 && !shown.differences.is_empty() {
            session.remark("nothing is changed yet: run it again with --yes");
        }
        session.print(&view::PriceImport::read(shown)?)
    }

    async fn ask(
        &self,
        services: &Services,
        source: Source,
        apply: bool,
        digest: String,
    ) -> Result<wire::ImportPricesResponse, Failure> {
        let request = wire::ImportPricesRequest {
            source: Some(source),
            allow_http: self.allow_http,
            apply,
            keep_missing: self.keep_missing,
            digest,
            change: self.reason.info(),
        };
        Ok(services.prices().import_prices(request).await?.into_inner())
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let mut file = Vec::new();
    let most = u64::try_from(MAX_BYTES).map_or(u64::MAX, |most| most + 1);
    let read = match path {
        "-" => std::io::stdin().lock().take(most).read_to_end(&mut file),
        path => std::fs::File::open(path).and_then(|opened| opened.take(most).read_to_end(&mut file)),
    };
    read.map_err(|source| Failure::File {
        action: "read",
        path: path.into(),
        source,
    })?;
    if file.len() > MAX_BYTES {
        let problem = format!("{path} is larger than {} MB", MAX_BYTES >> 20);
        return Err(Failure::Usage(problem));
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn e04_a_file_that_the_control_plane_would_refuse_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("prices.json");
        let path = path.to_str().unwrap();
        let most = MAX_BYTES;
        std::fs::write(path, vec![b' '; most + 1]).unwrap();
        let Err(Failure::Usage(problem)) = read(path) else {
            panic!("it was read");
        };
        assert!(problem.ends_with("is larger than 16 MB"), "{problem}");
        std::fs::write(path, vec![b' '; most]).unwrap();
        assert_eq!(read(path).unwrap().len(), most);
    }
}
