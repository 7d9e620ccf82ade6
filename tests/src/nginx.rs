//! An nginx of the test's own, with a configuration that users are given.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail, ensure};

use crate::ports::free_port;
use crate::process::Process;

/// A running nginx. Ends when it is dropped.
#[derive(Debug)]
pub struct Nginx {
    pub url: String,
    _process: Process,
}

impl Nginx {
    /// With `docs/nginx.conf` in front of a data plane at this base URL. None when this machine has no nginx: `./test`
    /// has said so then.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    pub async fn start(folder: &Path, upstream: &str, http: &reqwest::Client) -> Result<Option<Self>> {
        let Ok(program) = std::env::var("PENSTOCK_TEST_NGINX") else {
            if std::env::var("CI").is_ok() {
                bail!("PENSTOCK_TEST_NGINX is not set: run ./test, which installs nginx");
            }
            eprintln!("skipped: no nginx here");
            return Ok(None);
        };
        let listen = format!("127.0.0.1:{}", free_port()?);
        let folder = folder.join("nginx");
        std::fs::create_dir(&folder)?;
        let root = std::fs::metadata("/proc/self")?.uid() == 0;
        std::fs::write(folder.join("nginx.conf"), around(root))?;
        let given = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/nginx.conf");
        let given = std::fs::read_to_string(given)?;
        std::fs::write(folder.join("penstock.conf"), at(&given, &listen, upstream)?)?;
        let mut command = Command::new(program);
        command
            .arg("-p")
            .arg(&folder)
            .args(["-c", "nginx.conf", "-e", "error.log"]);
        let mut process = Process::start("nginx", &mut command, &folder.join("output.log"))?;
        let url = format!("http://{listen}");
        // Whatever the data plane answers.
        let answers = crate::until("nginx answers", || async {
            Ok(Some(http.get(&url).send().await?.status()))
        });
        if let Err(error) = answers.await {
            let logs = ["output.log", "error.log"].map(|log| std::fs::read_to_string(folder.join(log)));
            bail!("{error:#}\n{logs:?}, {:?}", process.kill());
        }
        Ok(Some(Self {
            url,
            _process: process,
        }))
    }
}

/// What a system's own nginx.conf has around our file. One process, so that nothing is left when it is killed.
fn around(root: bool) -> String {
    let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .iter()
        .map(|kind| format!("    {kind}_temp_path {kind};\n"))
        .collect();
    let user = if root { "user root root;\n" } else { "" };
    format!(
        "{user}daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{}}\nhttp {{\n    access_log off;\n    \
         # As many have it, and our file must undo it.\n    gzip on;\n    gzip_types *;\n{temporary}    \
         include penstock.conf;\n}}\n"
    )
}

/// The file that users are given, with other addresses.
fn at(given: &str, listen: &str, upstream: &str) -> Result<String> {
    let mut text = given.to_owned();
    let upstream = upstream.trim_start_matches("http://");
    for (from, to) in [
        ("server 127.0.0.1:8080;", format!("server {upstream};")),
        ("\n    listen 80;", format!("\n    listen {listen};")),
    ] {
        ensure!(
            text.matches(from).count() == 1,
            "docs/nginx.conf has not one {from:?}"
        );
        text = text.replace(from, &to);
    }
    Ok(text)
}
