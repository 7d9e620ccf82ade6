//! One finding.

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Ok,
    Warn,
    Fail,
}

/// See [`crate::doctor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub check: &'static str,
    /// Which one, by name; empty where there is one only.
    pub subject: String,
    pub level: Level,
    pub what: String,
    pub why: String,
    pub fix: String,
}

impl Finding {
    /// All is well.
    pub(super) fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Ok, what.into())
    }

    pub(super) fn warn(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Warn, what.into())
    }

    pub(super) fn fail(check: &'static str, what: impl Into<String>) -> Self {
        Self::new(check, Level::Fail, what.into())
    }

    fn new(check: &'static str, level: Level, what: String) -> Self {
        Self {
            check,
            level,
            what,
            subject: String::new(),
            why: String::new(),
            fix: String::new(),
        }
    }

    pub(super) fn of(mut self, subject: impl Into<String>) -> Self {
        self.subject = subject.into();
        self
    }

    pub(super) fn why(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = fix.into();
        self
    }
}
