//! Penstock as its users run it: the real binaries, a real Postgres, a real Redis, a fake provider.
//!
//! [`Stack`] is a builder for a whole installation on this machine. Every process gets free ports and a folder of its
//! own under a temporary one; all are killed when the stack is dropped, and their logs are printed when the test
//! fails. The tests under `tests/promises` are one file a promise; what they may rely on is the command line's contract
//! and the HTTP and gRPC surfaces, nothing inside.
//!
//! Servers come from the environment that `./test` prepares; a test that needs one says so when it is missing.

mod binaries;
mod cli;
mod collector;
mod http;
mod nginx;
mod node;
mod ports;
mod postgres;
mod process;
mod proxy;
mod python;
mod receiver;
mod redis;
mod rpc;
mod stack;
mod wait;

pub use binaries::binary;
pub use cli::{Cli, CliError};
pub use collector::Collector;
pub use http::{anthropic_body, chat_body, client};
pub use nginx::Nginx;
pub use node::Npm;
pub use ports::free_port;
pub use postgres::{Database, Postgres};
pub use process::{Process, Signal};
pub use proxy::{Authority, Login, Proxy};
pub use python::python;
pub use receiver::{Received, Receiver};
pub use redis::Redis;
pub use rpc::{Answered, Rpc};
pub use stack::{ADMIN_TOKEN, CREDENTIAL, NODE_TOKEN, Node, Stack, StackBuilder};
pub use wait::until;
