//! What data planes share with each other, beside what the control plane gives to all of them: how much of their limits
//! users, keys and providers have used, to which provider a session is bound, who tries a provider that failed.
//!
//! The fleet's state lives in Redis, or in the process when there is only one data plane (`penstock up`). Redis is
//! never required to serve: when it is gone, the data plane goes on alone, says so once, and joins again when it is
//! back.
//!
//! | module | what |
//! |---|---|
//! | `fleet` | the fleet as one data plane sees it; `admit`, `settle` a call |
//! | `degraded` | what holds while Redis is away |
//! | `book`, `replay` | what this node has under way, and saying it again when counters were lost |
//! | [`baseline`] | making counters from the ledger |
//! | [`counters`] | what is counted and by which rules: the interface of the two implementations |
//! | [`local`] | counters in the process |
//! | [`redis`] | counters in Redis; the scripts are in `redis/lua` |
//! | [`binding`] | sticky sessions |
//! | `kick` | taking a session its provider and its slots away |
//! | `survey` | what lies in Redis, for operators |
//! | [`trial`] | the one call that tries a provider whose breaker was open |
//! | `notes` | what is told to Redis behind the callers' backs |
//! | [`account`], [`subject`] | whose counters, and what a call takes of them |

pub mod account;
mod admit;
pub mod baseline;
pub mod binding;
mod book;
pub mod counters;
mod counts;
mod degraded;
mod fleet;
mod grant;
mod kick;
pub mod local;
mod node;
mod notes;
pub mod redis;
mod replay;
mod settle;
mod state;
pub mod subject;
mod survey;
pub mod trial;
mod windows;

pub use binding::{Bind, Binding, Keep};
pub use fleet::{Enforcement, Fleet};
pub use grant::{Claim, Denied, Grant, Policy, Wish};
pub use kick::Kicked;
pub use local::CacheFigures;
pub use node::Node;
pub use redis::BadRedisUrl;
pub use settle::Ended;
pub use state::RedisState;
pub use survey::{Keys, Survey};
pub use trial::{Lease, Trial};

/// Whole seconds, at least one.
fn retry_after(wait_ms: i64) -> u64 {
    let seconds = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000);
    seconds.max(1)
}
