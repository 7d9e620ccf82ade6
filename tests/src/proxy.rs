//! Proxies as Debian packages them, each on a free port with its log in a file: microsocks, tinyproxy, and stunnel as
//! the TLS in front of something.
//!
//! `./test` installs them where it may. A test that needs one that is not there is skipped and says so; in CI it fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpStream;

use crate::ports::free_port;
use crate::process::Process;
use crate::wait::until;

/// Ends when it is dropped.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    log: PathBuf,
    process: Process,
}

/// User and password.
pub type Login<'a> = Option<(&'a str, &'a str)>;

impl Proxy {
    /// SOCKS5.
    pub async fn socks5(folder: &Path, login: Login<'_>) -> Result<Option<Self>> {
        let Some(mut command) = program("microsocks")? else {
            return Ok(None);
        };
        let port = free_port()?;
        command.args(["-i", "127.0.0.1", "-p", &port.to_string()]);
        if let Some((user, password)) = login {
            command.args(["-u", user, "-P", password]);
        }
        Self::start(folder, "microsocks", port, command).await.map(Some)
    }

    /// HTTP with CONNECT.
    pub async fn http(folder: &Path, login: Login<'_>) -> Result<Option<Self>> {
        let Some(mut command) = program("tinyproxy")? else {
            return Ok(None);
        };
        let port = free_port()?;
        let mut config =
            format!("Listen 127.0.0.1\nPort {port}\nTimeout 60\nMaxClients 50\nLogLevel Connect\n");
        if let Some((user, password)) = login {
            config += &format!("BasicAuth {user} {password}\n");
        }
        let file = folder.join(format!("tinyproxy-{port}.conf"));
        std::fs::write(&file, config)?;
        command.arg("-d").arg("-c").arg(file);
        Self::start(folder, "tinyproxy", port, command).await.map(Some)
    }

    /// TLS in front of a plain port of this machine, with a certificate for 127.0.0.1 from this authority.
    pub async fn tls(folder: &Path, authority: &Authority, plain: u16) -> Result<Option<Self>> {
        let Some(mut command) = program("stunnel4")? else {
            return Ok(None);
        };
        let port = free_port()?;
        let pem = folder.join(format!("stunnel-{port}.pem"));
        std::fs::write(&pem, authority.certificate()?)?;
        let config = format!(
            "foreground = yes\npid =\nsyslog = no\n[front]\naccept = 127.0.0.1:{port}\nconnect = 127.0.0.1:{plain}\n\
             cert = {}\n",
            pem.display()
        );
        let file = folder.join(format!("stunnel-{port}.conf"));
        std::fs::write(&file, config)?;
        command.arg(file);
        Self::start(folder, "stunnel", port, command).await.map(Some)
    }

    async fn start(folder: &Path, name: &str, port: u16, mut command: Command) -> Result<Self> {
        let log = folder.join(format!("{name}-{port}.log"));
        let process = Process::start(name, &mut command, &log)?;
        until(&format!("{name} listens"), || async {
            Ok(TcpStream::connect(("127.0.0.1", port)).await.ok())
        })
        .await?;
        Ok(Self { port, log, process })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it has given a connection to this port.
    pub fn led_to(&self, port: u16) -> bool {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let target = format!("127.0.0.1:{port}");
        log.lines()
            .any(|line| line.contains(&target) && (line.contains("connected to") || line.contains("CONNECT")))
    }

    /// From now on nobody listens there.
    pub fn kill(&mut self) -> Result<()> {
        self.process.kill()
    }
}

/// A certificate authority of one test's own.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new() -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(Self(CertifiedIssuer::self_signed(params, KeyPair::generate()?)?))
    }

    /// What clients trust.
    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// A key and its certificate for this machine.
    fn certificate(&self) -> Result<String> {
        let key = KeyPair::generate()?;
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names)?.signed_by(&key, &self.0)?;
        Ok(format!("{}{}", key.serialize_pem(), certificate.pem()))
    }
}

impl std::fmt::Debug for Authority {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

/// None when it is not installed: `./test` has said so then.
#[expect(clippy::print_stderr, reason = "a skipped test says so")]
fn program(name: &str) -> Result<Option<Command>> {
    let there = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|folder| folder.join(name).is_file()));
    if there {
        return Ok(Some(Command::new(name)));
    }
    if std::env::var("CI").is_ok() {
        bail!("{name} is not installed: run ./test, which installs it");
    }
    eprintln!("skipped: {name} is not installed");
    Ok(None)
}
