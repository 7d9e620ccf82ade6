//! The machine that was measured on, for the table's last line. What cannot be read is left out, never guessed.

use std::fs;

use serde::Serialize;

/// Where the figures come from.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) cores: usize,
    pub(crate) cpu: Option<String>,
    pub(crate) kernel: Option<String>,
    /// Processes that wanted to run in the minute before the bench began.
    pub(crate) load_before: Option<f64>,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let read = |path: &str| fs::read_to_string(path).ok();
        Self {
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            cpu: read("/proc/cpuinfo").as_deref().and_then(cpu_model),
            kernel: read("/proc/sys/kernel/osrelease").map(|release| release.trim().to_owned()),
            load_before: Self::load_now(),
        }
    }

    /// Processes that wanted to run in the last minute.
    pub(crate) fn load_now() -> Option<f64> {
        first_number(&fs::read_to_string("/proc/loadavg").ok()?)
    }

    /// `2 cores, AMD EPYC, Linux 6.18, load 0.1 before`.
    pub(crate) fn line(&self) -> String {
        let mut parts = vec![format!("{} cores", self.cores)];
        parts.extend(self.cpu.clone());
        parts.extend(self.kernel.as_ref().map(|release| format!("Linux {release}")));
        parts.extend(self.load_before.map(|load| format!("load {load:.2} before")));
        parts.join(", ")
    }
}

fn cpu_model(cpuinfo: &str) -> Option<String> {
    let (_, model) = cpuinfo
        .lines()
        .find_map(|line| line.strip_prefix("model name"))?
        .split_once(':')?;
    Some(model.trim().to_owned())
}

fn first_number(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_model_is_read_from_the_first_processor() {
        let text = "processor\t: 0\nmodel name\t: AMD EPYC 9V74\nmodel name\t: other\n";
        assert_eq!(cpu_model(text).as_deref(), Some("AMD EPYC 9V74"));
        assert_eq!(cpu_model("processor: 0"), None);
    }

    #[test]
    fn what_is_unknown_is_left_out() {
        let machine = Machine {
            cores: 2,
            cpu: None,
            kernel: None,
            load_before: None,
        };
        assert_eq!(machine.line(), "2 cores");
    }
}
