//! nginx as the reference: `proxy_pass` with kept-alive upstream connections and nothing else.
//!
//! Three servers in one nginx. One is as nginx comes: it buffers answers, and request bodies too, beyond 16 KB in a file.
//! One does not buffer answers, which streams need. One buffers nothing, for a comparison in which no file is written.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Result;

use super::cpu::Meter;
use super::ports;
use super::process::Process;
use crate::load::Expect;

const CONFIG: &str = "nginx.conf";

/// A running nginx: a master and a worker for each core.
#[derive(Debug)]
pub(crate) struct Nginx {
    process: Process,
    meter: Meter,
    program: PathBuf,
    folder: PathBuf,
    listen: Listen,
}

/// Where its servers listen.
#[derive(Clone, Copy, Debug)]
struct Listen {
    whole: SocketAddr,
    stream: SocketAddr,
    unbuffered: SocketAddr,
}

impl Nginx {
    /// In a folder of its own, with room for so many connections of each worker.
    pub(crate) async fn start(
        program: &Path,
        folder: &Path,
        upstream: SocketAddr,
        connections: u32,
    ) -> Result<Self> {
        std::fs::create_dir(folder)?;
        let [whole, stream, unbuffered] = ports::free()?;
        let listen = Listen {
            whole,
            stream,
            unbuffered,
        };
        let root = std::fs::metadata("/proc/self")?.uid() == 0;
        std::fs::write(folder.join(CONFIG), config(upstream, listen, root, connections))?;
        let mut process = Process::start("nginx", command(program, folder), folder)?;
        // The fake's counters, through nginx: its workers are there.
        for address in [whole, stream, unbuffered] {
            process.ready(address, "/_fake/counts").await?;
        }
        let meter = Meter::of_family(process.id())?;
        Ok(Self {
            process,
            meter,
            program: program.to_owned(),
            folder: folder.to_owned(),
            listen,
        })
    }

    pub(crate) fn address(&self, expect: Expect) -> SocketAddr {
        match expect {
            Expect::Whole => self.listen.whole,
            Expect::Stream => self.listen.stream,
        }
    }

    pub(crate) fn unbuffered(&self) -> SocketAddr {
        self.listen.unbuffered
    }

    pub(crate) fn meter(&self) -> &Meter {
        &self.meter
    }
}

impl Drop for Nginx {
    /// Its master must end its workers: killed itself, it would leave them behind.
    fn drop(&mut self) {
        let mut stop = command(&self.program, &self.folder);
        let stopped = stop.args(["-s", "stop"]).output();
        if stopped.is_ok_and(|output| output.status.success()) {
            self.process.wait_briefly();
        }
    }
}

fn command(program: &Path, folder: &Path) -> Command {
    let mut command = Command::new(program);
    command
        .arg("-p")
        .arg(folder)
        .arg("-c")
        .arg(folder.join(CONFIG))
        .arg("-e")
        .arg(folder.join("error.log"));
    command
}

fn config(upstream: SocketAddr, listen: Listen, root: bool, connections: u32) -> String {
    let server = |listen: SocketAddr, more: &str| {
        format!(
            "  server {{
    listen {listen};
    location / {{
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection \"\";
      {more}
    }}
  }}
"
        )
    };
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("  {kind}_temp_path {kind};\n"))
        .collect();
    // Workers must reach the temporary folder, which is its owner's alone.
    let user = if root { "user root root;\n" } else { "" };
    format!(
        "{user}daemon off;
worker_processes auto;
pid nginx.pid;
error_log error.log warn;
events {{ worker_connections {connections}; }}
http {{
  access_log off;
  client_max_body_size 64m;
  keepalive_requests 1000000000;
{temporary}  upstream provider {{
    server {upstream};
    keepalive 256;
    keepalive_requests 1000000000;
  }}
{}{}{}}}
",
        server(listen.whole, ""),
        server(listen.stream, "proxy_buffering off;"),
        server(
            listen.unbuffered,
            "proxy_buffering off; proxy_request_buffering off;"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_buffered_by_one_server_and_bodies_by_two() {
        let address = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let listen = Listen {
            whole: address(2),
            stream: address(3),
            unbuffered: address(4),
        };
        let text = config(address(1), listen, false, 4_096);
        assert_eq!(text.matches("proxy_buffering off;").count(), 2);
        assert_eq!(text.matches("proxy_request_buffering off;").count(), 1);
        assert!(text.contains("server 127.0.0.1:1;"));
        assert!(!text.contains("user root"));
        assert_eq!(text.matches('{').count(), text.matches('}').count());
    }
}
