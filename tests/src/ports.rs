//! Ports for processes that are restarted on the same address, so that port 0 will not do.
//!
//! They lie below the range that the kernel gives to outgoing connections. A port is reserved by a locked file for as
//! long as this test process lives, so that tests that run side by side, or one test that needs many, never get the same.

use std::fs::File;
use std::net::TcpListener;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use rand::RngExt;

/// Locks end when the process does.
static RESERVED: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// A port on 127.0.0.1 that nobody uses and no other test gets.
pub fn free_port() -> Result<u16> {
    let folder = reservations()?;
    for _ in 0..200 {
        let port = rand::rng().random_range(12_000_u16..32_000);
        let file = File::create(folder.join(port.to_string()))?;
        if file.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            RESERVED.lock().unwrap_or_else(PoisonError::into_inner).push(file);
            return Ok(port);
        }
    }
    bail!("no free port between 12000 and 32000")
}

/// One folder for each user of this machine.
fn reservations() -> Result<PathBuf> {
    let user = std::fs::metadata("/proc/self").context("who am I")?.uid();
    let folder = std::env::temp_dir().join(format!("penstock-test-ports-{user}"));
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_port_is_given_out_once() {
        let ports: BTreeSet<u16> = (0..100).map(|_| free_port().unwrap()).collect();
        assert_eq!(ports.len(), 100);
    }
}
