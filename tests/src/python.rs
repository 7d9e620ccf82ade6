//! Python scripts in the test suite's own venv, for the vendors' SDKs.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

/// Runs `tests/python/SCRIPT` and returns what it printed.
/// None when the suite has no Python: `./test` has said so then.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
pub fn python(script: &str, args: &[&str]) -> Result<Option<String>> {
    let Ok(interpreter) = std::env::var("PENSTOCK_TEST_PYTHON") else {
        if std::env::var("CI").is_ok() {
            bail!("PENSTOCK_TEST_PYTHON is not set: run ./test, which makes the venv");
        }
        eprintln!("skipped {script}: no Python with the SDKs here");
        return Ok(None);
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(script);
    let output = Command::new(interpreter).arg(path).args(args).output()?;
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        bail!(
            "{script}: {}\n{stdout}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(Some(stdout))
}
