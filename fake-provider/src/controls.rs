//! Which behaviour the next model call gets: the script while it lasts, then the default.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use crate::behaviour::Behaviour;

/// Changeable while the fake runs.
#[derive(Debug)]
pub(crate) struct Controls {
    now: Mutex<Now>,
}

#[derive(Debug)]
struct Now {
    default: Arc<Behaviour>,
    script: VecDeque<Arc<Behaviour>>,
}

impl Controls {
    pub(crate) fn new(default: Behaviour, script: Vec<Behaviour>) -> Self {
        let script = script.into_iter().map(Arc::new).collect();
        Self {
            now: Mutex::new(Now {
                default: Arc::new(default),
                script,
            }),
        }
    }

    /// Takes the next entry of the script.
    pub(crate) fn next(&self) -> Arc<Behaviour> {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.script.pop_front().unwrap_or_else(|| Arc::clone(&now.default))
    }

    pub(crate) fn set_default(&self, behaviour: Behaviour) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.default = Arc::new(behaviour);
    }

    pub(crate) fn append(&self, script: impl IntoIterator<Item = Behaviour>) {
        let script = script.into_iter().map(Arc::new);
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.script.extend(script);
    }
}
