//! What the doctor finds.

use penstock_proto::admin::v1 as wire;
use serde::Serialize;

use super::View;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Level {
    Ok,
    Warn,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    pub check: String,
    /// Which one; empty where there is one only.
    pub subject: String,
    pub level: Level,
    pub what: String,
    pub why: String,
    pub fix: String,
}

/// All findings.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Diagnosis {
    pub ok: usize,
    pub warn: usize,
    pub fail: usize,
    pub items: Vec<Finding>,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

impl From<wire::Finding> for Finding {
    /// A level of a newer release is worth a look.
    fn from(finding: wire::Finding) -> Self {
        let level = match finding.level() {
            wire::FindingLevel::Ok => Level::Ok,
            wire::FindingLevel::Fail => Level::Fail,
            wire::FindingLevel::Warn | wire::FindingLevel::Unspecified => Level::Warn,
        };
        Self {
            check: finding.check,
            subject: finding.subject,
            level,
            what: finding.what,
            why: finding.why,
            fix: finding.fix,
        }
    }
}

impl Finding {
    pub(crate) fn ok(check: &str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, what.into())
    }

    pub(crate) fn warn(check: &str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Warn, what.into())
    }

    fn new(check: &str, level: Level, what: String) -> Self {
        Self {
            check: check.to_owned(),
            subject: String::new(),
            level,
            what,
            why: String::new(),
            fix: String::new(),
        }
    }

    pub(crate) fn why(mut self, why: &str) -> Self {
        why.clone_into(&mut self.why);
        self
    }

    pub(crate) fn fix(mut self, fix: &str) -> Self {
        fix.clone_into(&mut self.fix);
        self
    }

    /// One line, and for what is not well why it matters and what to do.
    pub(crate) fn text(&self) -> String {
        let of = match self.subject.as_str() {
            "" => String::new(),
            subject => format!(" {subject}"),
        };
        let mut text = format!("{:<5}{}{of}: {}", self.level.as_str(), self.check, self.what);
        for (label, more) in [("why", &self.why), ("do", &self.fix)] {
            if !more.is_empty() {
                text = format!("{text}\n     {:<5}{more}", format!("{label}:"));
            }
        }
        text
    }
}

impl Diagnosis {
    pub(crate) fn add(&mut self, finding: Finding) {
        match finding.level {
            Level::Ok => self.ok += 1,
            Level::Warn => self.warn += 1,
            Level::Fail => self.fail += 1,
        }
        self.items.push(finding);
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "\n{} well, {} to look at, {} failing",
            self.ok, self.warn, self.fail
        )
    }
}

impl View for Diagnosis {
    fn table(&self) -> String {
        let lines: Vec<_> = self.items.iter().map(Finding::text).collect();
        format!("{}\n{}", lines.join("\n"), self.summary())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_a_finding_says_why_and_what_to_do() {
        let finding = Finding {
            subject: "main".to_owned(),
            ..Finding::warn("reach", "is slow")
                .why("Calls wait.")
                .fix("`penstock provider test main`")
        };
        assert_eq!(
            finding.text(),
            "warn reach main: is slow\n     why: Calls wait.\n     do:  `penstock provider test main`"
        );
        let mut told = Diagnosis::default();
        told.add(finding);
        let json = serde_json::to_value(&told).unwrap();
        assert_eq!(
            (&json["warn"], &json["items"][0]["level"]),
            (&1.into(), &"warn".into())
        );
    }
}
