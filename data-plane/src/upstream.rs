//! The way to the providers: credentials and requests, over connections of the crate `outbound`.
//!
//! Each provider has a [`target::Target`], made from its configuration when it is first used: an [`endpoint::Endpoint`]
//! for each base URL, the credential as a header, and a client with connections of its own. It is made anew when the
//! provider's version changes; its connections stay as long as they would be made alike: timeout, proxy, authorities,
//! addresses. A credential therefore never meets another provider's connection.
//!
//! Rules: base URLs and proxies come from operators only. Link-local and metadata addresses are never dialled, and the
//! address that was checked is the one dialled, except by a proxy that looks names up. Redirects are not followed.
//! Nothing here retries; the one second way is past a proxy that cannot be reached, where the operator allows it.

mod credentials;
mod endpoint;
mod lanes;
mod paths;
mod request;
mod send_body;
mod target;
mod targets;

pub(crate) use lanes::ReceiveBody;
pub use penstock_outbound::TlsError;
pub(crate) use penstock_outbound::{Cause, Clients, cause, chain};
pub(crate) use request::{Spoken, request};
pub(crate) use send_body::SendBody;
pub(crate) use target::{BadTarget, Target};
pub(crate) use targets::Targets;
