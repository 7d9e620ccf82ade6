//! Ports for processes that are restarted on the same address, so that port 0 will not do.
//!
//! They are chosen below the range that the kernel gives to outgoing connections, at random, and tried once.

use std::net::TcpListener;

use anyhow::{Result, bail};
use rand::RngExt;

/// A port on 127.0.0.1 that nobody uses.
pub fn free_port() -> Result<u16> {
    for _ in 0..100 {
        let port = rand::rng().random_range(12_000..32_000);
        if TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no free port between 12000 and 32000")
}
