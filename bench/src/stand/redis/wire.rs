//! As much of Redis's protocol as the bench needs to ask a Redis about itself.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection on which Redis tells each command that it is given.
#[derive(Debug)]
pub(crate) struct Monitor(BufReader<TcpStream>);

impl Monitor {
    pub(super) async fn of(address: SocketAddr) -> Result<Self> {
        let mut connection = said(address, "MONITOR").await?;
        let answer = line(&mut connection).await?;
        ensure!(answer == "+OK", "Redis answered MONITOR with {answer}");
        Ok(Self(connection))
    }

    /// The words of the next call of a script.
    pub(crate) async fn script_call(&mut self) -> Result<Vec<String>> {
        let watch = async {
            loop {
                let words = words(&line(&mut self.0).await?)?;
                if words
                    .first()
                    .is_some_and(|word| word.eq_ignore_ascii_case("EVALSHA"))
                {
                    return Ok(words);
                }
            }
        };
        timeout(PATIENCE, watch).await.context("no script was called")?
    }
}

/// The answer to one command, on a connection of its own.
pub(super) async fn ask(address: SocketAddr, command: &str) -> Result<String> {
    let asking = async {
        let mut connection = said(address, command).await?;
        let head = line(&mut connection).await?;
        let Some(length) = head.strip_prefix('$') else {
            ensure!(!head.starts_with('-'), "Redis answered {command} with {head}");
            return Ok(head);
        };
        let mut text = vec![0; length.parse()?];
        connection.read_exact(&mut text).await?;
        Ok(String::from_utf8(text)?)
    };
    timeout(PATIENCE, asking)
        .await
        .with_context(|| format!("Redis does not answer {command}"))?
}

/// How often a command was called, of `INFO commandstats`. None was called: 0.
pub(super) fn calls(info: &str, command: &str) -> Option<u64> {
    let name = format!("cmdstat_{command}:calls=");
    match info.lines().find_map(|line| line.strip_prefix(&name)) {
        Some(rest) => rest.split(',').next()?.parse().ok(),
        None => info.contains("# Commandstats").then_some(0),
    }
}

async fn said(address: SocketAddr, command: &str) -> Result<BufReader<TcpStream>> {
    let mut connection = TcpStream::connect(address).await?;
    connection.write_all(format!("{command}\r\n").as_bytes()).await?;
    Ok(BufReader::new(connection))
}

async fn line(connection: &mut BufReader<TcpStream>) -> Result<String> {
    let mut line = String::new();
    if connection.read_line(&mut line).await? == 0 {
        bail!("Redis closed the connection");
    }
    Ok(line.trim_end().to_owned())
}

/// Of a line of MONITOR: `+1700000000.1 [0 127.0.0.1:5] "EVALSHA" "…"`.
fn words(line: &str) -> Result<Vec<String>> {
    let words: Vec<String> = line.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    let is_script = words
        .first()
        .is_some_and(|word| word.eq_ignore_ascii_case("EVALSHA"));
    ensure!(
        !(is_script && line.contains('\\')),
        "an argument that the bench cannot read back: {line}"
    );
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_those_of_the_command_alone() {
        let info = "# Commandstats\r\ncmdstat_evalsha_ro:calls=9,usec=1\r\ncmdstat_evalsha:calls=12,usec=3,rejected_calls=0\r\n";
        assert_eq!(calls(info, "evalsha"), Some(12));
        assert_eq!(calls(info, "eval"), Some(0));
        assert_eq!(calls("# Server\r\n", "evalsha"), None);
    }

    #[test]
    fn words_of_a_command_may_be_empty() {
        let line = r#"+1700000000.1 [0 127.0.0.1:5] "EVALSHA" "ab" "1" "key" "" "-""#;
        assert_eq!(words(line).unwrap(), ["EVALSHA", "ab", "1", "key", "", "-"]);
        assert!(words(r#"+1.1 [0 lua] "evalsha" "a\x00""#).is_err());
    }
}
