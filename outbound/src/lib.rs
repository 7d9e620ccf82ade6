//! Connections to hosts that operators name: providers, and the servers that give out their tokens.
//!
//! Data planes call providers with it, control planes the token endpoints of providers, both by the same rules: the
//! provider's proxy and authorities, its fallback, its timeouts.
//!
//! Rules: link-local and metadata addresses are never dialled, and with [`Reach::Public`] loopback and private ones
//! neither. The address that was checked is the one dialled, except by a proxy that looks names up. Redirects are not
//! followed and nothing is retried; the one second way is past a proxy that cannot be reached, where the operator
//! allows it.

#![warn(missing_docs)]

mod address;
mod cause;
mod client;
mod connect;
mod dial;
mod through;
mod tracked;

pub use address::{ForbiddenAddress, Reach};
pub use cause::{Cause, cause, chain};
pub use client::{BadConnections, Client, Clients, Connections, Pools, TlsError};
pub use through::BadProxy;
pub use tracked::Tracked;
