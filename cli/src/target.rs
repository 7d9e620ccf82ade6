//! Which control plane a command talks to, and with which token.
//!
//! Each of the two comes from a flag, else the environment, else the context file that `penstock up` wrote. Where a
//! value came from is kept, so that an error can say which setting to look at. The token of the context file goes
//! only to the server of the context file: pointing `--server` elsewhere must not hand it to a stranger.

use std::fmt;
use std::path::PathBuf;

use penstock_core::secret::Secret;

use crate::context::{self, Context};
use crate::failure::Failure;
use crate::input;

/// The address of a control plane on this machine.
pub(crate) const DEFAULT_SERVER: &str = "http://127.0.0.1:9090";

/// Flags of every command that talks to a control plane.
#[derive(Clone, Default, clap::Args)]
#[command(next_help_heading = "Control plane")]
pub(crate) struct Remote {
    /// URL of the control plane's gRPC [env: `PENSTOCK_SERVER`] [default: where `penstock up` ran, else `http://127.0.0.1:9090`]
    #[arg(long, global = true, value_name = "URL")]
    pub server: Option<String>,

    /// Admin token; better in the environment, where it is not seen in the shell's history [env: `PENSTOCK_TOKEN`]
    #[arg(long, global = true, value_name = "TOKEN", conflicts_with = "token_file", value_parser = secret)]
    pub token: Option<Secret>,

    /// File that holds the admin token
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,

    /// Certificates to trust for https://, instead of the public ones [env: `PENSTOCK_TLS_CA`]
    #[arg(long, global = true, value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,

    /// Send the token unencrypted to an http:// server that is not on this machine
    #[arg(long, global = true)]
    pub insecure_plaintext: bool,
}

/// Where a setting came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Flag(&'static str),
    Env(&'static str),
    File(PathBuf),
    Default,
}

/// Everything that is needed to connect.
#[derive(Clone)]
pub(crate) struct Target {
    pub server: String,
    pub origin: Origin,
    pub token: Secret,
    pub tls_ca: Option<PathBuf>,
    pub insecure_plaintext: bool,
}

/// Reads the environment: a name to its value, None when unset or empty.
pub(crate) type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The process's own environment.
pub(crate) fn process_env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Remote {
    /// Decides on server and token.
    pub(crate) fn target(&self, env: Env<'_>) -> Result<Target, Failure> {
        let path = context::path(env);
        let stored = match &path {
            Some(path) => context::read(path)?,
            None => None,
        };
        self.decide(env, path, stored)
    }

    fn decide(
        &self,
        env: Env<'_>,
        path: Option<PathBuf>,
        stored: Option<Context>,
    ) -> Result<Target, Failure> {
        let file = || Origin::File(path.clone().unwrap_or_default());
        let flag = self
            .server
            .clone()
            .map(|server| (server, Origin::Flag("--server")));
        let variable = || env("PENSTOCK_SERVER").map(|server| (server, Origin::Env("PENSTOCK_SERVER")));
        let context = || stored.as_ref().map(|context| (context.server.clone(), file()));
        let (server, origin) = flag
            .or_else(variable)
            .or_else(context)
            .unwrap_or_else(|| (DEFAULT_SERVER.to_owned(), Origin::Default));
        let token = match self.given_token(env)? {
            Some(token) => token,
            None => stored_token(&server, stored.as_ref())?,
        };
        Ok(Target {
            server,
            origin,
            token,
            tls_ca: self
                .tls_ca
                .clone()
                .or_else(|| env("PENSTOCK_TLS_CA").map(PathBuf::from)),
            insecure_plaintext: self.insecure_plaintext,
        })
    }

    fn given_token(&self, env: Env<'_>) -> Result<Option<Secret>, Failure> {
        if let Some(token) = &self.token {
            return Ok(Some(token.clone()));
        }
        if let Some(path) = &self.token_file {
            return input::file(path).map(Some);
        }
        Ok(env("PENSTOCK_TOKEN").map(|token| Secret::trimmed(&token)))
    }
}

fn stored_token(server: &str, stored: Option<&Context>) -> Result<Secret, Failure> {
    const HINT: &str = "Set PENSTOCK_TOKEN (or --token-file) to the control plane's admin token; `penstock up` stores its own.";
    match stored {
        Some(context) if same_server(&context.server, server) => Ok(context.token.clone()),
        Some(context) => Err(Failure::Input(format!(
            "there is no token for {server}; the stored one belongs to {}\n{HINT}",
            context.server
        ))),
        None => Err(Failure::Input(format!(
            "there is no token to sign in with\n{HINT}"
        ))),
    }
}

/// The same URL, or the same port of this machine by another name.
fn same_server(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim_end_matches('/'), b.trim_end_matches('/'));
    let local = |url: &str| {
        let uri: tonic::transport::Uri = url.parse().ok()?;
        let loopback = uri.host().is_some_and(is_loopback);
        loopback.then(|| (uri.scheme_str().map(str::to_owned), uri.port_u16()))
    };
    a == b || local(a).is_some_and(|place| local(b) == Some(place))
}

/// `localhost`, 127.0.0.0/8 or `::1`, as they stand in a URL.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

fn secret(text: &str) -> Result<Secret, &'static str> {
    let secret = Secret::trimmed(text);
    if secret.is_empty() {
        return Err("is empty");
    }
    Ok(secret)
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Env(name) => write!(f, "from {name}"),
            Self::File(path) => write!(f, "from {}", path.display()),
            Self::Default => f.write_str("the default"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "/home/x/.config/penstock/context.json";

    fn stored() -> Option<Context> {
        Some(Context {
            server: "http://127.0.0.1:9090".into(),
            token: Secret::new("file-token"),
        })
    }

    fn decide(remote: &Remote, env: &[(&str, &str)], stored: Option<Context>) -> Result<Target, Failure> {
        let env = |name: &str| env.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned());
        remote.decide(&env, Some(FILE.into()), stored)
    }

    #[test]
    fn the_flag_wins_over_the_environment_and_that_over_the_file() {
        let flags = Remote {
            server: Some("http://flag:1".into()),
            token: Some(Secret::new("flag-token")),
            ..Remote::default()
        };
        let env = [
            ("PENSTOCK_SERVER", "http://env:2"),
            ("PENSTOCK_TOKEN", " env-token\n"),
        ];
        let target = decide(&flags, &env, stored()).ok().unwrap();
        assert_eq!(
            (target.server.as_str(), target.origin),
            ("http://flag:1", Origin::Flag("--server"))
        );
        assert!(target.token.matches("flag-token"));

        let target = decide(&Remote::default(), &env, stored()).ok().unwrap();
        assert_eq!(
            (target.server.as_str(), target.origin),
            ("http://env:2", Origin::Env("PENSTOCK_SERVER"))
        );
        assert!(target.token.matches("env-token"));

        let target = decide(&Remote::default(), &[], stored()).ok().unwrap();
        assert_eq!(target.origin, Origin::File(FILE.into()));
        assert!(target.token.matches("file-token"));
    }

    #[test]
    fn without_any_setting_it_is_this_machine() {
        let target = decide(&Remote::default(), &[("PENSTOCK_TOKEN", "t")], None)
            .ok()
            .unwrap();
        assert_eq!(
            (target.server.as_str(), target.origin),
            (DEFAULT_SERVER, Origin::Default)
        );
    }

    #[test]
    fn a_stored_token_is_not_sent_to_another_server() {
        let elsewhere = [("PENSTOCK_SERVER", "https://penstock.example:9090")];
        let failure = decide(&Remote::default(), &elsewhere, stored())
            .err()
            .unwrap()
            .to_string();
        assert!(failure.contains("belongs to http://127.0.0.1:9090"), "{failure}");
        assert!(!failure.contains("file-token"));
        let by_name = [("PENSTOCK_SERVER", "http://localhost:9090/")];
        assert!(decide(&Remote::default(), &by_name, stored()).is_ok());
        let other_port = [("PENSTOCK_SERVER", "http://localhost:9091")];
        assert!(decide(&Remote::default(), &other_port, stored()).is_err());
    }

    #[test]
    fn without_a_token_it_says_what_to_set() {
        let failure = decide(&Remote::default(), &[], None).err().unwrap().to_string();
        assert!(failure.contains("PENSTOCK_TOKEN"), "{failure}");
    }
}
