//! The tables that are not taken along row by row, each with what becomes of it instead.

use crate::api::archive::Fate::{self, Left, Section};

/// All of them.
pub static OTHER_TABLES: [(&str, Fate); 29] = [
    // Configuration, which goes through commits.
    ("settings", Section("settings")),
    ("import_suffixes", Section("import_suffixes")),
    ("users", Section("users")),
    ("api_keys", Section("keys")),
    ("key_hashes", Section("keys")),
    ("providers", Section("providers")),
    ("model_prices", Section("prices")),
    ("error_rules", Section("error_rules")),
    ("word_rules", Section("word_rules")),
    ("request_filters", Section("request_filters")),
    // What holds secrets, or must be told to others when it changes.
    ("provider_tokens", Section("provider_tokens")),
    ("operators", Section("operators")),
    ("webhooks", Section("webhooks")),
    // Records make sums grow.
    ("usage_records", Section("usage_records")),
    // The history is that of the installation; a restore is a revision in it.
    (
        "config_head",
        Left("a restore makes the next revision of the history that is there"),
    ),
    (
        "config_revisions",
        Left("the history stays that of the installation"),
    ),
    (
        "config_changes",
        Left("the history stays that of the installation"),
    ),
    ("deleted_key_hashes", Left("only for rollbacks of the history")),
    (
        "master_key_checks",
        Left("an installation has its own master key"),
    ),
    // What is true now and of the processes that are there now.
    ("nodes", Left("data planes report themselves")),
    (
        "node_commands",
        Left("questions that are being answered, for seconds"),
    ),
    ("fleet_states", Left("breakers and cooldowns follow from traffic")),
    ("leases", Left("who does what just now, for seconds")),
    ("token_leases", Left("who does what just now, for seconds")),
    ("operators_head", Left("a counter by which replicas see changes")),
    ("oauth_logins", Left("logins under way, for minutes")),
    (
        "alerts",
        Left("what is wrong now is found out anew, and told once"),
    ),
    ("deliveries", Left("a restore must not send old messages again")),
    ("_sqlx_migrations", Left("the release that restores has its own")),
];
