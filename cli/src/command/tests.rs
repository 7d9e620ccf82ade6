//! The command line as scripts write it: what is accepted, and what is wrong usage.

use clap::CommandFactory;

use super::*;

fn accepted(line: &str) -> bool {
    parse(line).is_ok()
}

fn parse(line: &str) -> Result<Arguments, clap::Error> {
    let words = line
        .split_whitespace()
        .map(|word| if word == "''" { "" } else { word });
    Arguments::try_parse_from(std::iter::once("penstock").chain(words))
}

fn wrong(line: &str) -> String {
    let error = parse(line).err().unwrap();
    assert_eq!(error.exit_code(), 2, "{line}");
    error.to_string()
}

#[test]
fn the_definition_is_consistent() {
    Arguments::command().debug_assert();
}

#[test]
fn g06_every_command_of_the_contract_is_there() {
    for line in [
        "status",
        "provider create --name x --kind anthropic --base-url http://h --api-key-env VAR",
        "provider create --name x --kind anthropic --api-key-file /f",
        "provider create --name x --kind anthropic --api-key -",
        "provider create --name x --kind openai --priority 1 --weight 2 --group g --cost-multiplier 1.25 --model m*",
        "provider list -o json",
        "provider get x",
        "provider update x --priority 3 --expected-version 4 --reason why",
        "provider update x --rpm 60 --usd-daily 100",
        "provider update x --base-url http://a --base-url http://b --redirect claude-*=m --active-hours 22:00-06:00",
        "provider update x --breaker-failures 5 --breaker-open 30m --breaker-successes 2 --breaker-network-errors true",
        "provider update x --proxy socks5h://u@h:1080 --proxy-password - --fallback-to-direct --address-family any",
        "provider update x --proxy '' --ca-file '' --override temperature=1 --probe 5m --http2 false",
        "provider delete x",
        "provider enable x",
        "provider disable x --reason why",
        "user create --name alice",
        "user create --name alice@example.com --expires 30d --tag t --group g",
        "user create --name alice --rpm 1 --tpm 2 --usd-5h 1.50 --usd-daily 5 --daily-reset 08:00 --zone Asia/Shanghai",
        "user update alice --usd-weekly 1 --usd-monthly 2 --usd-total 0 --daily-reset rolling",
        "user list",
        "user list --prefix al",
        "key list --user alice --prefix lap",
        "provider list --prefix cl",
        "user delete alice",
        "key create --user alice --name laptop",
        "key create --user alice --name laptop --prefix acme_",
        "key create --user alice --name laptop --secret -",
        "key create --user alice --name l --sha256 0101010101010101010101010101010101010101010101010101010101010101",
        "key get alice/laptop",
        "key update laptop --allow-model claude-* --blocked-model ''",
        "key update laptop --concurrent-sessions 1 --concurrent-requests 2 --session-idle 5m --budget strict",
        "key rotate laptop --overlap 24h",
        "key find --secret -",
        "key import-suffix relay --secret -",
        "operator create --name ann --role operator --expires 30d",
        "operator create --name self --role user --user alice --reason why",
        "operator list -o json",
        "operator show ann",
        "operator update ann --role viewer --disabled --expires never --name anna",
        "operator rotate ann --overlap 24h",
        "operator delete ann",
        "whoami -o json",
        "audit list --since 7d --until 1h --actor ann --action CreateKey --target alice --outcome ok --limit 5 --before x",
        "setting set self_service true",
        "limits show --key alice/laptop -o json",
        "limits show --provider main",
        "limits reset --user alice",
        "limits reset --key laptop --dimension usd_total --dimension rpm --reason paid",
        "explain 529",
        "explain Extra inputs are not permitted -o json",
        "doctor --offline --quiet -o json",
        "diagnose -f x.tar.gz --offline",
        "node drain up --undo --reason why",
        "master-key show",
        "master-key rotate --reason why",
        "completion zsh",
        "explain 019a0000-0000-7000-8000-000000000000 -o json",
        "route --key alice/laptop --model claude-opus-4-8 --session s1 -o json",
        "route --user alice --model gpt-5 --dialect openai-chat",
        "price create --name m --rate input=3 --rate output=15",
        "price list --contains opus --source manual",
        "price resolve claude-opus-4-8 --provider main",
        "error-rule create --name odd --class billing --status 429 --contains quota --in message --priority 5",
        "error-rule create --name odd --class caller --regex a.*b --kind openai --provider main --replace-status 400",
        "error-rule update odd --contains '' --status 418 --replace-message x --disabled --expected-version 2",
        "error-rule list",
        "error-rule get odd -o json",
        "error-rule delete odd --reason why",
        "error-rule test --provider main --status 429 --body x --header retry-after:3",
        "error-rule test --kind openai --status 200 --body-file -",
        "setting list",
        "backup create f --kind encrypted --include-usage --passphrase-env VAR",
        "backup create f --kind with-secrets --yes-i-know --reason why",
        "backup inspect f --passphrase-file p -o json",
        "backup restore f --dry-run",
        "backup restore f --yes --passphrase -",
        "import claude-code-hub folder --dry-run --time-zone UTC",
        "import claude-relay-service f --encryption-key-env ENCRYPTION_KEY --user relay --suffix-name relay",
        "setting set unpriced reject",
        "setting set explain_refusals true",
        "setting set limits --off --for 2h --degraded open --quota-status 402",
        "setting set limits --enabled false --until 2026-11-01",
        "setting set routing --max-providers 3 --keepalive-after 25s --sticky 1h --return-to-better-tier",
        "setting set model_fallbacks claude-opus-*=claude-sonnet-5,claude-haiku-5 gpt-5=gpt-5-mini",
        "setting reset unpriced",
        "node list -o yaml",
        "usage",
        "usage --since 7d --until 1d --user a --key k --provider p --model m --by hour",
        "usage records --limit 1000 --before 0198",
        "usage summary --tag a --tag b --session s --status 5xx --outcome failed --by session",
        "usage series --bucket week --time-zone Europe/Berlin --since 90d",
        "usage top user --by tokens --limit 3 --provider p",
        "usage sessions --hours 3",
        "usage export --format jsonl --file out.jsonl --since 2026-11-01 --until 2026-12-01 --key k -o json",
        "usage chargeback --month 2026-11 --by tag --csv",
        "usage errors --since 24h --provider p --model m",
        "usage clean --dry-run",
        "usage clean --now",
        "session list --user a --key k --provider p",
        "session kick 0123456789abcdef0123456789abcdef",
        "counter list",
        "limits forecast --provider p --hours 6",
        "setting set retention --enabled --usage-records-days 90 --failed-calls-days 7 --audit-log-days 400",
        "config history --limit 3",
        "config diff 3 4",
        "config diff -1",
        "config show 3",
        "config rollback 12 --include-access --dry-run",
        "config rollback --to -1",
        "migrate status --database-url sqlite:x",
        "migrate up --database-url sqlite:x",
        "completions bash",
    ] {
        assert!(accepted(line), "{line}: {}", parse(line).err().unwrap());
    }
}

#[test]
fn global_flags_stand_before_or_after_the_command() {
    assert!(accepted("--server http://h:1 -o json node list"));
    assert!(accepted("node list --server http://h:1 --token t -o json"));
    assert!(accepted(
        "node list --token-file f --tls-ca ca.pem --insecure-plaintext"
    ));
}

#[test]
fn contradictions_are_wrong_usage() {
    wrong("key create --user a --name b --secret - --prefix x_");
    wrong("key create --user a --name b --import-suffix relay");
    wrong("provider update x --enabled --disabled");
    wrong("setting set limits --enabled --off");
    wrong("setting set limits --off --for 2h --until 2026-11-01");
    wrong("error-rule create --name x --class caller --contains a --regex b");
    wrong("error-rule test --status 429");
    wrong("error-rule test --kind openai --provider main --status 429");
    wrong("limits show");
    wrong("route --model m");
    wrong("route --key k");
    wrong("route --user alice --model m --session s1");
    wrong("route --key k --model m --dialect gopher");
    wrong("limits reset --user a --key b");
    wrong("config rollback");
    wrong("config rollback 3 --to 4");
    wrong("usage --by colour");
    wrong("usage records --limit 0");
    wrong("provider create --name x --kind bedrock2");
    wrong("node list --token t --token-file f");
}

#[test]
fn a_wrong_value_says_what_is_right() {
    assert!(
        wrong("key rotate x --overlap 24").contains("24h")
            || wrong("key rotate x --overlap 24").contains("10s")
    );
    assert!(wrong("provider create --name x --kind y").contains("openai-compatible"));
    assert!(wrong("limits reset --user a --dimension usd").contains("usd_weekly"));
    assert!(wrong("price create --name m --rate audio=1").contains("cache_read"));
}

#[test]
fn help_names_the_environment_and_no_value_of_it() {
    let help = Arguments::command().render_long_help().to_string();
    for name in ["PENSTOCK_SERVER", "PENSTOCK_TOKEN"] {
        assert!(help.contains(name), "{name}");
    }
}

/// Commands in backquotes, as advice has them: what stands for a name is any word.
fn advised(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|part| part.starts_with("penstock "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn g06_every_command_in_advice_exists() {
    use penstock_core::error::Code;
    use penstock_core::failure;
    let ours = Code::ALL.into_iter().map(|code| code.advice().fix);
    let theirs: Vec<&str> = failure::known().map(|known| known.advice.fix).collect();
    let all: Vec<String> = ours.chain(theirs).flat_map(advised).collect();
    assert!(all.len() > 80, "{}", all.len());
    for command in all {
        let root = Arguments::command();
        let mut at = &root;
        for word in command.split_whitespace().skip(1) {
            let word = word.trim_matches('\'');
            if let Some(flag) = word.strip_prefix("--") {
                let name = flag.split('=').next().unwrap_or_default();
                let known = |arg: &clap::Arg| {
                    arg.get_long_and_visible_aliases()
                        .is_some_and(|all| all.contains(&name))
                };
                assert!(at.get_arguments().any(known), "{command}: {word}");
            } else if let Some(next) = at.find_subcommand(word) {
                at = next;
            } else {
                assert!(!std::ptr::eq(at, &root), "{command}");
            }
        }
    }
}
