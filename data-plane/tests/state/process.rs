//! The binary itself: exit codes, what it says on failure, signals.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const BINARY: &str = env!("CARGO_BIN_EXE_penstock-data-plane");

fn command(data_dir: &Path, arguments: &[&str]) -> Command {
    let token = data_dir.join("token");
    std::fs::write(&token, "a-node-token-of-at-least-32-characters").unwrap();
    let mut command = Command::new(BINARY);
    command
        .args(["--listen", "127.0.0.1:0", "--listen-admin", "127.0.0.1:0"])
        .args(["--data-dir", data_dir.join("data").to_str().unwrap()])
        .args(["--node-token-file", token.to_str().unwrap()])
        .args(arguments);
    command
}

fn failure(arguments: &[&str]) -> String {
    let directory = tempfile::tempdir().unwrap();
    let Output { status, stderr, .. } = command(directory.path(), arguments).output().unwrap();
    assert_eq!(status.code(), Some(1));
    let text = String::from_utf8(stderr).unwrap();
    assert_eq!(text.lines().count(), 1, "one clear message: {text}");
    text
}

#[test]
fn g15_a_start_that_cannot_go_on_says_one_line_with_the_fix_and_exits_with_1() {
    assert!(failure(&[]).contains("--control-plane"));
    assert!(failure(&["--control-plane", "http://10.0.0.1:1"]).contains("--insecure-plaintext"));
    let here = ["--control-plane", "http://127.0.0.1:1"];
    assert!(failure(&[here[0], here[1], "--log-level", "no=such=level"]).contains("--log-level"));
    assert!(failure(&[here[0], here[1], "--node-id", "two words"]).contains("--node-id"));
}

#[test]
fn g15_a_control_plane_that_is_away_is_no_reason_to_exit_and_sigterm_ends_with_0() {
    let directory = tempfile::tempdir().unwrap();
    let mut child = command(directory.path(), &["--control-plane", "http://127.0.0.1:1"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let said = |lines: &mut dyn Iterator<Item = std::io::Result<String>>, text: &str| {
        lines
            .map(Result::unwrap)
            .find(|line| line.contains(text))
            .unwrap()
    };
    let started: serde_json::Value = serde_json::from_str(&said(&mut lines, "data plane started")).unwrap();
    assert!(
        started["listen"].as_str().unwrap().starts_with("127.0.0.1:"),
        "{started}"
    );
    assert!(said(&mut lines, "not ready until").contains("cannot be reached"));
    let killed = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
    said(&mut lines, "stopped");
    assert_eq!(child.wait().unwrap().code(), Some(0));
}
