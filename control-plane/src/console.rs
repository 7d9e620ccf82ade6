//! The control plane's HTTP: health and metrics. The web console will be served here too.
//!
//! | path | answer |
//! |---|---|
//! | `/health/live` | 200 while the process works; 503 before a surrounding process lets it |
//! | `/health/ready` | 200 while it takes calls and streams; 503 when it stops |
//! | `/health` | JSON; status `ok`, or `degraded` while the database is away; 503 when it stops |
//! | `/metrics` | Prometheus |
//!
//! A database that is away does not make the replica unready: data planes are served from memory, and all replicas would
//! leave the load balancer together. None of the answers names a host, a user or a secret.

mod health;
mod routes;

pub use health::{Health, Lifecycle};
pub use routes::router;
