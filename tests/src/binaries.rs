//! The binaries under test, built by `./test` beside this one.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The path of a binary of the workspace.
pub fn binary(name: &str) -> Result<PathBuf> {
    let folder = match std::env::var_os("PENSTOCK_TEST_BIN") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let own = std::env::current_exe()?;
            own.ancestors()
                .nth(2)
                .context("the test binary lies in target/PROFILE/deps")?
                .to_owned()
        }
    };
    let path = folder.join(name);
    if !path.exists() {
        bail!(
            "{} is not built: run ./test, or cargo build --workspace --all-targets",
            path.display()
        );
    }
    Ok(path)
}
