//! `penstock usage export`: a file of single calls, written as its pieces come.
//!
//! Into a file it is written beside it and renamed at the end, so that a file that is there is whole. It says who called what,
//! so it is its owner's alone.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;

use super::filter::Filter;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::output;
use crate::private_file;

#[derive(clap::Args)]
pub(super) struct Export {
    #[command(flatten)]
    filter: Filter,
    /// Form of the file
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    format: Format,
    /// Where to; without it, or with `-`: standard output
    #[arg(short = 'f', long = "file", value_name = "FILE")]
    file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// With a header; columns keep their order
    Csv,
    /// One object a line
    Jsonl,
}

impl Export {
    pub(super) async fn run(self, session: &Session) -> Result<(), Failure> {
        let format = match self.format {
            Format::Csv => wire::ExportFormat::Csv,
            Format::Jsonl => wire::ExportFormat::Jsonl,
        };
        let request = wire::ExportUsageRequest {
            filter: Some(self.filter.wire(session)),
            format: format.into(),
        };
        let span = request.filter.as_ref().map_or((0, 0), |filter| {
            let to = if filter.to_ms == 0 {
                session.now.0
            } else {
                filter.to_ms
            };
            (filter.from_ms, to)
        });
        match self.file.as_deref().filter(|file| *file != Path::new("-")) {
            None => copy(session, request, span, io::stdout().lock()).await,
            Some(file) => {
                let beside = beside(file);
                let failed = |action, path: &Path| {
                    let path = path.to_owned();
                    move |source| Failure::File { action, path, source }
                };
                let out = private_file::create(&beside).map_err(failed("write", &beside))?;
                if let Err(failure) = copy(session, request, span, BufWriter::new(out)).await {
                    // What was written is not whole.
                    drop(std::fs::remove_file(&beside));
                    return Err(failure);
                }
                std::fs::rename(&beside, file).map_err(failed("write", file))
            }
        }
    }
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}

async fn copy(
    session: &Session,
    request: wire::ExportUsageRequest,
    span: (i64, i64),
    mut out: impl Write,
) -> Result<(), Failure> {
    let services = session.connect().await?;
    let mut pieces = services.usage().export_usage(request).await?.into_inner();
    let mut last = wire::ExportUsageResponse::default();
    while let Some(piece) = pieces.message().await? {
        out.write_all(&piece.data)?;
        tell(&piece, span, false);
        last = wire::ExportUsageResponse {
            data: Vec::new(),
            ..piece
        };
    }
    out.flush()?;
    tell(&last, span, true);
    Ok(())
}

/// Where somebody looks, a line that the next one takes the place of; else only the last one.
fn tell(piece: &wire::ExportUsageResponse, (from, to): (i64, i64), last: bool) {
    let records = piece.records;
    let line = match last {
        true => format!("{records} records"),
        false => {
            let (done, all) = (
                piece.through_ms.saturating_sub(from),
                to.saturating_sub(from).max(1),
            );
            let percent = (i128::from(done) * 100 / i128::from(all)).clamp(0, 100);
            format!("{records} records, {percent} %, at {}", UnixMs(piece.through_ms))
        }
    };
    match io::stderr().is_terminal() {
        true => output::progress(&line, last),
        false if last => output::remark(&line),
        false => {}
    }
}
