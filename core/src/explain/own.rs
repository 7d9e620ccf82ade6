//! What planes and the command line say to operators, and words of decisions: what no table of errors has.

use super::{Explanation, Source};

/// One entry. `names` are found as words, `phrases` as parts of a text, in any case.
struct Own {
    title: &'static str,
    source: Source,
    names: &'static [&'static str],
    phrases: &'static [&'static str],
    cause: &'static str,
    action: &'static str,
    fix: &'static str,
}

pub(super) fn of_word(asked: &str) -> Vec<Explanation> {
    let known = |own: &&Own| own.names.iter().any(|name| name.eq_ignore_ascii_case(asked));
    OWN.iter().filter(known).map(Explanation::from).collect()
}

pub(super) fn of_text(asked: &str) -> Vec<Explanation> {
    let asked = asked.to_lowercase();
    let known = |own: &&Own| own.phrases.iter().any(|phrase| asked.contains(phrase));
    OWN.iter().filter(known).map(Explanation::from).collect()
}

/// For suggestions.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OWN.iter()
        .flat_map(|own| own.names.iter().chain(own.phrases))
        .copied()
}

impl From<&Own> for Explanation {
    fn from(own: &Own) -> Self {
        Self {
            title: own.title.to_owned(),
            source: own.source,
            cause: own.cause.to_owned(),
            action: own.action.to_owned(),
            fix: own.fix.to_owned(),
        }
    }
}

#[rustfmt::skip]
const fn own(title: &'static str, source: Source, names: &'static [&'static str], phrases: &'static [&'static str],
             (cause, action, fix): (&'static str, &'static str, &'static str)) -> Own {
    Own { title, source, names, phrases, cause, action, fix }
}

const PASSED: &str = "The provider is passed over.";

#[rustfmt::skip]
const OWN: &[Own] = &[
    // Planes, at their start and while they run.
    own("Database connection failed", Source::Operation, &[], &["database connection failed"], (
        "The control plane does not reach its database: it is down, the URL is wrong, or the password is refused. The rest of the line says which.",
        "At its start the control plane ends. While it runs it tries again; data planes serve on with what they hold, and usage waits in their spools.",
        "Start the database or correct PENSTOCK_DATABASE_URL; `penstock migrate status` tries the connection alone.")),
    own("Migration failed", Source::Operation, &[], &["migration failed"], (
        "The database's schema cannot be brought to this release: a missing privilege, a migration that was changed, a newer database, or auto-migration is off.",
        "The control plane does not start, and the database is left as it was.",
        "Do what the line says: run its GRANT, `penstock migrate up`, or start the release that the database is of.")),
    own("Redis connection error", Source::Operation, &[], &["redis connection error"], (
        "A data plane does not reach Redis.",
        "It goes on: limits are held as the setting `limits --degraded` says, and what was counted is corrected when Redis is back.",
        "Start Redis or correct PENSTOCK_REDIS_URL; `penstock doctor` shows which data planes are without it.")),
    own("Rate limit degraded", Source::Operation, &[], &["rate limit degraded"], (
        "Redis is away, and limits are held as the policy says: `local` (each data plane its share), `open` or `closed`.",
        "Nobody waits for Redis. With `closed` every call that has a limit is refused.",
        "Bring Redis back. The policy: `penstock setting set limits --degraded local`.")),
    own("port taken", Source::Operation, &["EADDRINUSE"], &["address already in use", "another process uses the port", "cannot be listened on"], (
        "Another process listens at this address.", "The plane does not start.",
        "Stop the other process, or choose another port with the flag that the message names.")),
    own("weak or missing token", Source::Operation, &[], &["no admin token is configured", "the admin token", "the node token"], (
        "The token is missing, too short, or one that everybody knows.", "The plane does not start.",
        "Make one with `openssl rand -hex 32` and give it as PENSTOCK_ADMIN_TOKEN or PENSTOCK_NODE_TOKEN, or in a file.")),
    own("master key", Source::Operation, &[], &["no master key is configured", "the master key is not the one", "master key cannot be used"], (
        "The master key is missing, or is not the one that the credentials in the database are sealed under.", "The control plane does not start, and nothing is changed.",
        "Give the key of this installation with `--master-key-file`. Without it credentials are lost: give each provider a new one.")),
    own("data directory", Source::Operation, &["EACCES"], &["data directory", "permission denied"], (
        "The process may not write there.", "The plane does not start.",
        "Give `--data-dir` a directory that the process's user owns, or correct its owner.")),
    own("no control plane answers", Source::Operation, &[], &["no control plane answers", "cannot connect to"], (
        "The command line finds no control plane at its address.", "",
        "Start one with `penstock up`, or say where it is with `--server` or PENSTOCK_SERVER.")),
    own("the server refused the token", Source::Operation, &[], &["refused the token"], (
        "The command line's token is neither the admin token nor an operator's.", "Signing in is refused and audited.",
        "Set PENSTOCK_TOKEN or `--token-file`; `penstock whoami` shows who you are.")),
    own("the spool is full", Source::Operation, &[], &["spool is full", "spool full"], (
        "A data plane could not send its usage for long, and its disk share is used up.",
        "New records are dropped and counted, or calls are refused, as `--spool-full` says.",
        "Bring the control plane and its database back: the spool empties by itself. `penstock node list` shows its depth.")),

    // Words to callers that are no codes.
    own("Circuit breaker is OPEN", Source::Gateway, &["breaker_open"], &["circuit breaker is open"], (
        "The provider failed several times in a row, so that its breaker opened; or an operator holds it open.",
        "The provider is passed over; after its time one call is let through as a trial, and if that works the breaker closes.",
        "`penstock breaker list` shows until when and why; `penstock provider test P`, then `penstock provider reset P`.")),
    own("No available provider found", Source::Gateway, &[], &["no available provider found"], (
        "Providers serve the model, but none can take the call now.", "",
        "`penstock route --key KEY --model MODEL` says what speaks against each provider.")),
    own("invalid API key", Source::Gateway, &[], &["invalid api key", "key is disabled", "key has expired", "user is disabled", "user has expired"], (
        "The caller's key is unknown, or it or its user is disabled or over.", "The call is refused with 401.",
        "`penstock key find --secret -` says whose key it is and whether it would be let in.")),
    own("the caller went away", Source::Gateway, &["CLIENT_CLOSED", "CLIENT_ABORT", "499"], &["client closed", "caller went away"], (
        "The caller ended the connection before the answer's end.",
        "The provider's answer is cancelled, or read on for a while to learn what it used (`setting set routing --read-on`).",
        "Nothing, unless it happens to all: look for a proxy in between with a short timeout.")),
    own("interrupted", Source::Gateway, &["interrupted"], &["stream was interrupted"], (
        "An answer broke after its content had begun, or its data plane was killed meanwhile.",
        "The caller gets an error event, never a clean end; what was used until then is in the ledger.",
        "`penstock explain REQUEST_ID` shows where it broke.")),
    own("limits are switched off", Source::Operation, &[], &["limits are switched off"], (
        "An operator switched limits off: everything is counted, nothing is refused.", "",
        "`penstock setting set limits --enabled`.")),

    // Verdicts on providers.
    own("verdict disabled, no_credential", Source::Gateway, &["disabled", "no_credential"], &[], ("The provider is off, or has no credential.", PASSED, "`penstock provider enable P`, or `penstock provider update P --api-key -`.")),
    own("verdict other_dialect", Source::Gateway, &["other_dialect"], &[], ("The provider does not speak the API that was called.", PASSED, "`penstock provider update P --translate API` lets it serve callers of another API.")),
    own("verdict other_group", Source::Gateway, &["other_group"], &[], ("The provider carries none of the groups of the user or the key.", PASSED, "`penstock provider update P --group G`, or the group of the user or key.")),
    own("verdict model_not_served", Source::Gateway, &["model_not_served"], &[], ("The provider's list of models does not hold this one.", PASSED, "`penstock provider update P --model MODEL`.")),
    own("verdict outside_hours", Source::Gateway, &["outside_hours"], &[], ("The provider is outside its active hours.", PASSED, "`penstock provider update P --active-hours ''`.")),
    own("verdict cooling_down", Source::Gateway, &["cooling_down"], &[], ("The provider asked for rest, or failed in a way that calls for it.", PASSED, "Wait; `penstock breaker list` shows until when, `penstock provider reset P` ends it.")),
    own("verdict credential_refused", Source::Gateway, &["credential_refused"], &[], ("The provider refused its credential.", "The provider is passed over, and probed every 30 minutes.", "`penstock provider update P --api-key -` with one that works, then `penstock provider test P`.")),
    own("verdict no_money", Source::Gateway, &["no_money"], &[], ("The account at the provider has no money left.", PASSED, "Pay at the vendor, then `penstock provider reset P`.")),
    own("verdict full", Source::Gateway, &["full", "budget_unknown"], &[], ("A limit of the provider's own is used up, or its strict budget cannot be known now.", PASSED, "`penstock limits show --provider P`.")),
    own("verdict unpriced", Source::Gateway, &["unpriced"], &[], ("The model has no price there, and calls without a price are refused.", PASSED, "`penstock price create --name MODEL --rate input=3 --rate output=15`.")),
    own("verdict out_of_time", Source::Gateway, &["out_of_time"], &[], ("The provider's total timeout ran out while others were asked.", PASSED, "`penstock provider update P --timeout-total 10m`.")),
];
