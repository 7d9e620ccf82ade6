//! Free ports for processes that cannot tell which one they took.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use anyhow::Result;

/// So many addresses on 127.0.0.1 that nobody uses. All are taken together, so they differ.
pub(crate) fn free<const COUNT: usize>() -> Result<[SocketAddr; COUNT]> {
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); COUNT];
    let mut held = Vec::with_capacity(COUNT);
    for address in &mut addresses {
        let listener = TcpListener::bind(*address)?;
        *address = listener.local_addr()?;
        held.push(listener);
    }
    Ok(addresses)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_free_and_differ() {
        let [one, two] = free().unwrap();
        assert_ne!(one, two);
        assert!(TcpListener::bind(one).is_ok() && TcpListener::bind(two).is_ok());
    }
}
