//! What an operator may write, and how a mistake is explained.

use clap::Parser;

use super::*;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn token_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn settings(arguments: &[&str]) -> Result<(Settings, ControlPlane), ConfigError> {
    let all = std::iter::once("penstock-data-plane").chain(arguments.iter().copied());
    Settings::new(&Config::try_parse_from(all).unwrap())
}

fn with_token(arguments: &[&str]) -> Result<(Settings, ControlPlane), ConfigError> {
    let file = token_file(TOKEN);
    let mut all = vec!["--node-token-file", file.path().to_str().unwrap()];
    all.extend(arguments);
    settings(&all)
}

fn complaint(result: Result<(Settings, ControlPlane), ConfigError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn the_defaults_are_those_of_the_specification() {
    let (settings, control_plane) = with_token(&["--control-plane", "http://127.0.0.1:9090"]).unwrap();
    assert_eq!(settings.traffic.max_body_bytes, 32 << 20);
    assert_eq!(settings.drain.timeout.as_secs(), 30);
    assert_eq!(settings.traffic.spool_full, WhenSpoolFull::Drop);
    assert!(!control_plane.endpoints[0].encrypted);
    assert_eq!(settings.seal_key.unwrap().source, "node token");
}

#[test]
fn several_control_planes_may_be_listed() {
    let (_, control_plane) = with_token(&["--control-plane", "https://a:9090,https://b:9090"]).unwrap();
    assert_eq!(control_plane.endpoints.len(), 2);
    assert!(control_plane.endpoints.iter().all(|e| e.encrypted));
}

#[test]
fn g15_plaintext_off_loopback_is_refused_until_it_is_asked_for() {
    let remote = ["--control-plane", "http://10.0.0.1:9090"];
    assert!(complaint(with_token(&remote)).contains("--insecure-plaintext"));
    assert!(with_token(&[remote[0], remote[1], "--insecure-plaintext"]).is_ok());
    for local in ["http://localhost:1", "http://[::1]:1", "http://127.0.0.9:1"] {
        assert!(with_token(&["--control-plane", local]).is_ok(), "{local}");
    }
}

#[test]
fn g15_a_missing_or_weak_identity_is_explained() {
    let to = ["--control-plane", "http://127.0.0.1:9090"];
    assert!(complaint(settings(&to)).contains("--node-token-file"));
    let short = token_file("short");
    let mut weak = vec!["--node-token-file", short.path().to_str().unwrap()];
    weak.extend(to);
    assert!(complaint(settings(&weak)).contains("32"));
    let half = complaint(with_token(&[
        to[0],
        to[1],
        "--tls-cert",
        short.path().to_str().unwrap(),
    ]));
    assert!(half.contains("--tls-key"), "{half}");
}

#[test]
fn g15_a_file_that_cannot_be_read_is_named_with_its_flag() {
    let text = complaint(settings(&[
        "--node-token-file",
        "/nowhere/token",
        "--control-plane",
        "https://a",
    ]));
    assert!(
        text.contains("--node-token-file") && text.contains("/nowhere/token"),
        "{text}"
    );
}

#[test]
fn g15_bad_control_plane_urls_are_explained_without_what_may_be_a_password() {
    assert!(complaint(with_token(&[])).contains("penstock up"));
    for url in ["penstock:9090", "ftp://h:1", "https://h:1/path", "https://"] {
        let text = complaint(with_token(&["--control-plane", url]));
        assert!(text.contains("https://HOST:9090"), "{url}: {text}");
    }
    let text = complaint(with_token(&["--control-plane", "https://user:hunter2@h:1"]));
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_seal_key_file_goes_before_the_token_and_must_be_long_enough() {
    let to = ["--control-plane", "http://127.0.0.1:9090", "--seal-key-file"];
    let long = token_file(TOKEN);
    let (settings, _) = with_token(&[to[0], to[1], to[2], long.path().to_str().unwrap()]).unwrap();
    assert_eq!(settings.seal_key.unwrap().source, "file");
    let short = token_file("short");
    let text = complaint(with_token(&[to[0], to[1], to[2], short.path().to_str().unwrap()]));
    assert!(text.contains("--seal-key-file"), "{text}");
}

#[test]
fn bounds_that_contradict_each_other_are_refused() {
    let to = ["--control-plane", "http://127.0.0.1:9090"];
    let text = complaint(with_token(&[to[0], to[1], "--max-bodies-bytes", "1MB"]));
    assert!(text.contains("--max-bodies-bytes"), "{text}");
    let text = complaint(with_token(&[to[0], to[1], "--node-id", "has space"]));
    assert!(text.contains("--node-id"), "{text}");
}

#[test]
fn g15_a_taken_port_is_explained() {
    let taken = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    let text = ConfigError::listen("--listen", "127.0.0.1:8080".parse().unwrap(), taken).to_string();
    assert!(
        text.contains("--listen 127.0.0.1:8080") && text.contains("another port"),
        "{text}"
    );
}

#[test]
fn clap_finds_no_contradiction_in_the_flags() {
    use clap::CommandFactory;
    Config::command().debug_assert();
}
