//! From the configuration to a control plane that can serve, and what is said when that fails.
//!
//! Every fault is one message that names what is wrong and how to set it right (behaviour G15). `main` prints it and
//! exits with 1; `penstock up` does the same. No message carries a secret.

mod fault;
mod listen;
mod open;
mod secrets;

pub use fault::Fault;
pub(crate) use listen::address;
pub(crate) use listen::check_exposure;
pub use listen::{Listeners, bind};
pub(crate) use open::open;
pub(crate) use secrets::{Secrets, database_url, replica_name, tls};
