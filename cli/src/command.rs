//! The command line: what can be asked, and who answers.
//!
//! Flags carry the field names of the product's behaviours; names of existing things are positional, names or ids work
//! everywhere, a key is `user/key` or its bare name while it is unique.

mod alert;
mod apply;
mod audit;
mod backup;
mod breaker;
mod completions;
mod config;
mod counter;
mod debug;
mod diagnose;
mod doctor;
mod edit;
mod error_rule;
mod explain;
mod export;
mod import;
mod key;
mod limits;
mod logs;
mod master_key;
mod migrate;
mod named;
mod node;
mod oauth;
mod operator;
mod price;
mod provider;
mod request_filter;
mod route;
mod session;
mod sessions;
mod setting;
mod status;
mod usage;
mod user;
mod webhook;
mod whoami;
mod word_rule;

use clap::{Parser, Subcommand};

use crate::failure::Failure;
use crate::output::Format;
use crate::target::Remote;
use crate::up;
use session::Session;

/// Penstock, a gateway for AI APIs: `penstock up` runs it on this machine, the other commands operate it.
#[derive(Parser)]
#[command(name = "penstock", version, propagate_version = true, max_term_width = 110)]
pub(crate) struct Arguments {
    /// Form of the answer
    #[arg(short, long, global = true, value_enum, value_name = "FORM", default_value_t)]
    output: Format,

    #[command(flatten)]
    remote: Remote,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run Penstock on this machine: both planes in one process, on a SQLite file
    Up(Box<up::Args>),
    /// The control plane, its database and its data planes at a glance
    Status,
    Doctor(doctor::Doctor),
    Diagnose(diagnose::Diagnose),
    Apply(apply::Apply),
    Diff(apply::Diff),
    Export(export::Export),
    /// The schema of the files that `apply` takes, for editors
    Schema,
    /// Upstream accounts and endpoints
    #[command(subcommand)]
    Provider(provider::Command),
    /// Which providers are well, and taking them out or bringing them back by hand
    #[command(subcommand)]
    Breaker(breaker::Command),
    /// Logging providers in, and how their access tokens do
    #[command(subcommand)]
    Oauth(oauth::Command),
    /// The people, teams and machines that own keys
    #[command(subcommand)]
    User(user::Command),
    /// What callers present
    #[command(subcommand)]
    Key(key::Command),
    /// How much of their limits users, keys and providers have used
    #[command(subcommand)]
    Limits(limits::Command),
    /// What models cost
    #[command(subcommand)]
    Price(price::Command),
    /// What certain upstream errors mean, and what callers get in their place
    #[command(subcommand)]
    ErrorRule(error_rule::Command),
    /// Texts that requests must not contain
    #[command(subcommand)]
    WordRule(word_rule::Command),
    /// What is changed in requests before they go to a provider
    #[command(subcommand)]
    RequestFilter(request_filter::Command),
    /// Settings of the whole installation
    #[command(subcommand)]
    Setting(setting::Command),
    /// Who may operate, beside the holder of the admin token
    #[command(subcommand)]
    Operator(operator::Command),
    /// Who the token belongs to, and what it may do
    Whoami,
    /// Who did what
    #[command(subcommand)]
    Audit(audit::Command),
    /// Data planes
    #[command(subcommand)]
    Node(node::Command),
    /// What data planes share in Redis
    #[command(subcommand)]
    Counter(counter::Command),
    /// Conversations, which stay with one provider
    #[command(subcommand)]
    Session(sessions::Command),
    /// The key that credentials are sealed under, and putting another in its place
    #[command(subcommand)]
    MasterKey(master_key::Command),
    /// What was used and what it cost: the last 24 hours unless told
    Usage(usage::Usage),
    /// What is wrong now, and what was told of it
    #[command(subcommand)]
    Alert(alert::Command),
    /// Who is told of trouble
    #[command(subcommand)]
    Webhook(webhook::Command),
    /// Calls and failures, newest first: the last 24 hours unless told; -f follows them
    Logs(logs::Logs),
    /// HTTP traffic of one key or provider, written out for a while
    #[command(subcommand)]
    Debug(debug::Command),
    /// One call: why it went where it went, what it cost, and where its time went; or what an error means
    Explain(explain::Explain),
    /// Where a request would go now, and why; nothing is sent
    Route(route::Route),
    /// The history of the configuration
    #[command(subcommand)]
    Config(config::Command),
    /// The whole installation in a file, and back
    #[command(subcommand)]
    Backup(backup::Command),
    /// Taking over what another gateway had: its keys stay valid
    #[command(subcommand)]
    Import(import::Command),
    /// The database's schema; needs the database's URL and no control plane
    #[command(subcommand)]
    Migrate(migrate::Command),
    /// Completions for a shell, to be sourced
    #[command(visible_alias = "completion")]
    Completions(completions::Completions),
}

/// Runs one command.
pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let session = Session::new(arguments.remote, arguments.output);
    match arguments.command {
        Command::Up(args) => Box::pin(up::run(*args)).await,
        Command::Status => status::run(&session).await,
        Command::Doctor(doctor) => doctor.run(&session).await,
        Command::Diagnose(diagnose) => diagnose.run(&session).await,
        Command::Apply(apply) => apply.run(&session).await,
        Command::Diff(diff) => diff.run(&session).await,
        Command::Export(export) => export.run(&session).await,
        Command::Schema => export::print_schema(),
        Command::Provider(command) => command.run(&session).await,
        Command::Breaker(command) => command.run(&session).await,
        Command::Oauth(command) => command.run(&session).await,
        Command::User(command) => command.run(&session).await,
        Command::Key(command) => command.run(&session).await,
        Command::Limits(command) => command.run(&session).await,
        Command::Price(command) => command.run(&session).await,
        Command::ErrorRule(command) => command.run(&session).await,
        Command::WordRule(command) => command.run(&session).await,
        Command::RequestFilter(command) => command.run(&session).await,
        Command::Setting(command) => command.run(&session).await,
        Command::Operator(command) => command.run(&session).await,
        Command::Whoami => whoami::run(&session).await,
        Command::Audit(command) => command.run(&session).await,
        Command::Alert(command) => command.run(&session).await,
        Command::Webhook(command) => command.run(&session).await,
        Command::Node(command) => command.run(&session).await,
        Command::Counter(command) => command.run(&session).await,
        Command::Session(command) => command.run(&session).await,
        Command::MasterKey(command) => command.run(&session).await,
        Command::Usage(command) => command.run(&session).await,
        Command::Logs(command) => command.run(&session).await,
        Command::Debug(command) => command.run(&session).await,
        Command::Explain(command) => command.run(&session).await,
        Command::Route(command) => command.run(&session).await,
        Command::Config(command) => command.run(&session).await,
        Command::Backup(command) => Box::pin(command.run(&session)).await,
        Command::Import(command) => Box::pin(command.run(&session)).await,
        Command::Migrate(command) => command.run(&session).await,
        Command::Completions(command) => command.run(),
    }
}

#[cfg(test)]
mod tests;
