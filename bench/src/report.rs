//! What a bench says: one table for people, JSON for programs, Markdown for the documentation.

mod markdown;
mod row;
mod series;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::machine::Machine;
use crate::mark::Others;
pub(crate) use row::{Bound, Row};
pub(crate) use series::Series;

/// The whole of it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) version: &'static str,
    /// RFC 3339, when the bench began.
    pub(crate) at: String,
    pub(crate) machine: Machine,
    pub(crate) nginx: Option<String>,
    pub(crate) redis: Option<String>,
    pub(crate) seconds: u64,
    pub(crate) rounds: u32,
    pub(crate) others: Others,
    pub(crate) rows: Vec<Row>,
    pub(crate) notes: Vec<String>,
}

impl Report {
    /// For a terminal.
    pub(crate) fn text(&self) -> String {
        let foot: String = self.foot().iter().map(|line| format!("{line}\n")).collect();
        format!("{}\n{foot}", table::terminal(&self.rows))
    }

    pub(crate) fn json(&self) -> Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Writes the JSON beside the results of other runs, and as `latest.json`.
    pub(crate) fn keep(&self, folder: &Path) -> Result<PathBuf> {
        let write = |path: &Path| fs::write(path, self.json()?).map_err(anyhow::Error::from);
        let stamp: String = self
            .at
            .chars()
            .take(19)
            .filter(char::is_ascii_alphanumeric)
            .collect();
        let path = folder.join(format!("{stamp}.json"));
        fs::create_dir_all(folder)
            .map_err(anyhow::Error::from)
            .and_then(|()| write(&path))
            .and_then(|()| write(&folder.join("latest.json")))
            .with_context(|| {
                format!(
                    "results cannot be written to {}: name another folder",
                    folder.display()
                )
            })?;
        Ok(path)
    }

    /// Puts the Markdown table into a file.
    pub(crate) fn save(&self, file: &Path) -> Result<()> {
        let document = match fs::read_to_string(file) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).with_context(|| file.display().to_string()),
        };
        let section = markdown::section(&self.rows, &self.foot(), &self.at);
        let text = markdown::insert(document.as_deref(), &section)
            .with_context(|| format!("{}: mark the place with {}", file.display(), markdown::MARKERS))?;
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))
    }

    fn foot(&self) -> Vec<String> {
        let nginx = self.nginx.as_deref().unwrap_or("no nginx");
        let redis = self.redis.as_deref().unwrap_or("no Redis");
        let (seconds, rounds) = (self.seconds, self.rounds);
        let mut lines = vec![
            format!("Machine: {}.", self.machine.line()),
            format!("Medians of {rounds} alternating rounds of {seconds} s. Penstock {}, {nginx}, {redis}.", self.version),
            "On: key authentication, routing over 20 providers, metering to a control plane on SQLite, metrics, info log \
             to a file; limits where the row says so. nginx: no access log."
                .to_owned(),
        ];
        lines.extend(self.notes.iter().map(|note| format!("Note: {note}.")));
        lines
    }
}

/// Says on standard error what goes on.
pub(crate) fn progress(text: &str) {
    // Nobody may be listening there.
    writeln!(io::stderr().lock(), "{text}").ok();
}

/// Microseconds.
pub(crate) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// Microseconds with a unit that fits: `43 µs`, `1.24 ms`.
pub(crate) fn time(micros: f64) -> String {
    if micros.abs() < 1000.0 {
        format!("{micros:.0} µs")
    } else {
        format!("{:.2} ms", micros / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mark::Mark;

    fn report() -> Report {
        let figure = Series::new(vec![40.0, 45.0, 60.0]).unwrap();
        let row = Row::new(Mark::P1, "small".to_owned(), figure)
            .beside("nginx", Series::new(vec![15.0]))
            .first_mark(Bound::Ratio(4.0))
            .goal(Bound::Ratio(1.5));
        Report {
            version: "0.1.0",
            at: "2026-11-21T04:05:06.7Z".to_owned(),
            machine: Machine::here(),
            nginx: None,
            redis: None,
            seconds: 2,
            rounds: 3,
            others: Others::default(),
            rows: vec![row],
            notes: vec!["nginx is not installed".to_owned()],
        }
    }

    #[test]
    fn the_table_has_figure_reference_ratio_and_verdict() {
        let text = report().text();
        for part in [
            "P1",
            "45 µs",
            "nginx 15 µs",
            "3.00×",
            "≤ 4.0×",
            "pass",
            "≤ 1.5×",
            "not yet",
            "Note: nginx is",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }

    #[test]
    fn json_has_the_figures_of_each_round() {
        let json: serde_json::Value = serde_json::from_str(&report().json().unwrap()).unwrap();
        assert_eq!(json["rows"][0]["figure"]["median"], 45.0);
        assert_eq!(json["rows"][0]["figure"]["rounds"][2], 60.0);
        assert_eq!(json["rows"][0]["ratio"], 3.0);
        assert_eq!(json["rows"][0]["verdict"], "pass");
    }

    #[test]
    fn results_are_kept_under_their_time_and_as_the_latest() {
        let folder = tempfile::tempdir().unwrap();
        let path = report().keep(&folder.path().join("new")).unwrap();
        assert!(path.ends_with("20261121T040506.json"), "{}", path.display());
        assert!(path.with_file_name("latest.json").exists());
    }

    #[test]
    fn a_saved_table_replaces_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("performance.md");
        report().save(&file).unwrap();
        let first = fs::read_to_string(&file).unwrap();
        report().save(&file).unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), first);
        fs::write(&file, "no place").unwrap();
        assert!(
            report()
                .save(&file)
                .unwrap_err()
                .to_string()
                .contains("bench:begin")
        );
    }

    #[test]
    fn times_have_a_unit_that_fits() {
        assert_eq!(
            (time(43.2), time(-12.0), time(1240.0)),
            ("43 µs".into(), "-12 µs".into(), "1.24 ms".into())
        );
    }
}
