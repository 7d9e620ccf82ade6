//! The request path, between a client and a fake provider.

mod access;
mod bodies;
mod budgets;
mod client;
mod decisions;
mod degraded;
mod failover;
mod full;
mod gateway;
mod guessing;
mod http2;
mod keep_alives;
mod ledger;
mod limits;
mod logs;
mod metering;
mod own_limits;
mod providers;
mod refusals;
mod rerouted;
mod serving;
mod sessions;
mod slots;
mod sticky;
mod streams;
mod strict;
