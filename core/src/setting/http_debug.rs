//! Which HTTP traffic is written out, and until when.

use serde::{Deserialize, Serialize};

use crate::id::{KeyId, ProviderId};
use crate::invalid::Invalid;
use crate::time::UnixMs;

/// Windows that are open; those that have passed count as gone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HttpDebug {
    pub windows: Vec<DebugWindow>,
}

/// The traffic of one key or one provider, for a limited time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebugWindow {
    pub subject: DebugSubject,
    pub until: UnixMs,
    /// Bodies too, into a file of its own.
    pub bodies: bool,
}

/// Whose traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DebugSubject {
    Key(KeyId),
    Provider(ProviderId),
}

/// What is written of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub bodies: bool,
}

const MAX_WINDOWS: usize = 32;
/// The longest window.
pub const MAX_MS: u64 = 24 * 60 * 60 * 1000;

impl HttpDebug {
    /// What is written of a call of this key, to this provider if one was asked. None: nothing.
    pub fn of(&self, key: KeyId, provider: Option<ProviderId>, now: UnixMs) -> Option<Shown> {
        let open = self.windows.iter().filter(|window| {
            now < window.until
                && match window.subject {
                    DebugSubject::Key(id) => id == key,
                    DebugSubject::Provider(id) => Some(id) == provider,
                }
        });
        open.fold(None, |shown: Option<Shown>, window| {
            let bodies = window.bodies || shown.is_some_and(|shown| shown.bodies);
            Some(Shown { bodies })
        })
    }

    /// Opens a window, in the place of one of the same subject.
    pub fn open(&mut self, window: DebugWindow, now: UnixMs) {
        self.windows
            .retain(|open| open.subject != window.subject && now < open.until);
        self.windows.push(window);
    }

    pub(super) fn validate(&self) -> Result<(), Invalid> {
        if self.windows.len() > MAX_WINDOWS {
            let problem = format!("has more than {MAX_WINDOWS} windows; stop one");
            return Err(Invalid::new("http_debug", problem));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g14_a_window_is_open_for_its_subject_until_its_end() {
        let (key, other) = (KeyId::from_parts(1, &[1; 10]), KeyId::from_parts(2, &[2; 10]));
        let provider = ProviderId::from_parts(3, &[3; 10]);
        let mut debug = HttpDebug::default();
        let window = |subject, until, bodies| DebugWindow {
            subject,
            until: UnixMs(until),
            bodies,
        };
        debug.open(window(DebugSubject::Key(key), 100, false), UnixMs(0));
        debug.open(window(DebugSubject::Provider(provider), 50, true), UnixMs(0));
        assert_eq!(debug.of(key, None, UnixMs(99)), Some(Shown { bodies: false }));
        assert_eq!(
            debug.of(key, Some(provider), UnixMs(1)),
            Some(Shown { bodies: true })
        );
        assert_eq!(debug.of(other, Some(provider), UnixMs(50)), None);
        debug.open(window(DebugSubject::Key(key), 200, false), UnixMs(60));
        assert_eq!(
            debug.windows.len(),
            1,
            "replaced, and the one that has passed is gone"
        );
    }
}
