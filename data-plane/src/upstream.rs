//! The way to the providers: addresses, connections, credentials, requests.
//!
//! Each provider has a [`target::Target`], made from its configuration when it is first used: the parsed URL, the
//! paths of the endpoints, the credential as a header, and a client with connections of its own. It is made anew when
//! the provider's version changes; its connections stay as long as URL and connect timeout do. A credential therefore
//! never meets another provider's connection.
//!
//! Rules: base URLs come from operators only. Link-local and metadata addresses are never dialled, and the address
//! that was checked is the one dialled. Redirects are not followed. Nothing here retries.

mod address;
mod client;
mod connect;
mod credentials;
mod request;
mod send_body;
mod target;
mod targets;

pub(crate) use client::Clients;
pub use client::TlsError;
pub(crate) use request::request;
pub(crate) use send_body::SendBody;
pub(crate) use target::BadTarget;
pub(crate) use targets::Targets;
