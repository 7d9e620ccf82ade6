//! What every process tells of itself: its version, its memory, its age, the lines that its log lost.

use std::sync::atomic::Ordering;
use std::time::Duration;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

use crate::memory::resident_bytes;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct ProcessMetrics {
    memory: Gauge,
    uptime: Gauge,
    log_dropped: Counter,
}

impl ProcessMetrics {
    /// Under the registry's prefix. `version`: of the program.
    pub fn register(&self, registry: &mut Registry, version: &'static str) {
        registry.register(
            "build",
            "The program's version, as a label; always 1",
            Info::new([("version", version)]),
        );
        registry.register_with_unit("memory", "Resident memory", Unit::Bytes, self.memory.clone());
        registry.register_with_unit(
            "uptime",
            "Since the process began to serve",
            Unit::Seconds,
            self.uptime.clone(),
        );
        registry.register(
            "log_dropped_lines",
            "Lines of the log lost since the process began",
            self.log_dropped.clone(),
        );
    }

    /// Reads the present figures; reads a file of the kernel.
    pub fn set(&self, uptime: Duration) {
        self.memory
            .set(i64::try_from(resident_bytes()).unwrap_or(i64::MAX));
        self.uptime
            .set(i64::try_from(uptime.as_secs()).unwrap_or(i64::MAX));
        self.log_dropped
            .inner()
            .store(penstock_log::dropped_lines(), Ordering::Relaxed);
    }
}
