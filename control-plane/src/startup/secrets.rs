//! Reads what the configuration points at: tokens, the master key, TLS files.

use std::fs;
use std::path::Path;

use penstock_core::secret::Secret;
use tonic::transport::{Certificate, Identity, ServerTlsConfig};

use super::Fault;
use crate::access::{TokenHash, check_strength};
use crate::config::{AccessArgs, Config, MasterKeyArgs, TlsArgs};
use crate::credentials::{MasterKey, load_master_key_file};
use crate::doctor::Setup;

/// A client that does not finish its TLS handshake in this time is dropped.
const HANDSHAKE: std::time::Duration = std::time::Duration::from_secs(10);

/// What callers are checked against and what credentials are sealed under.
pub(crate) struct Secrets {
    pub(crate) admin: TokenHash,
    pub(crate) nodes: Vec<TokenHash>,
    pub(crate) master_key: MasterKey,
    /// They open what is sealed under them, and seal nothing.
    pub(crate) other_master_keys: Vec<MasterKey>,
    /// A node token is the admin token.
    pub(crate) same_token: bool,
    /// For the log: nothing that stops a start.
    pub(crate) warnings: Vec<String>,
}

impl Secrets {
    /// `pipe`: the data plane is in this process and needs no token.
    pub(crate) fn load(config: &Config, pipe: bool) -> Result<Self, Fault> {
        let mut warnings = Vec::new();
        let admin = admin_token(&config.access)?;
        let nodes = node_tokens(&config.access)?;
        if nodes.is_empty() && config.tls.tls_ca.is_none() && !pipe {
            let text = "no node token and no client authority is configured: data planes cannot connect over the network; \
                        give --node-token-file (PENSTOCK_NODE_TOKEN) or --tls-ca";
            warnings.push(text.to_owned());
        }
        let master_key = master_key(&config.master_key, &mut warnings)?;
        let other_master_keys = other_master_keys(&config.master_key, &mut warnings)?;
        Ok(Self {
            same_token: nodes.iter().any(|node| node.is(&admin)),
            admin,
            nodes,
            master_key,
            other_master_keys,
            warnings,
        })
    }

    /// What the doctor looks at.
    pub(crate) fn setup(&self, config: &Config) -> Setup {
        let loopback = config.listen.listen_grpc.ip().to_canonical().is_loopback();
        Setup {
            tls_cert: config.tls.tls_cert.clone(),
            tls_ca: config.tls.tls_ca.clone(),
            plaintext: config.tls.tls_cert.is_none() && !loopback,
            same_token: self.same_token,
            data_dir: config.data_dir.clone(),
        }
    }
}

fn admin_token(args: &AccessArgs) -> Result<TokenHash, Fault> {
    let token = match (&args.admin_token, &args.admin_token_file) {
        (Some(token), _) if !token.is_empty() => token.clone(),
        (_, Some(path)) => token_file(path)?,
        (_, None) => return Err(Fault::NoAdminToken),
    };
    check_strength(&token).map_err(Fault::AdminToken)?;
    Ok(TokenHash::of(&token))
}

fn node_tokens(args: &AccessArgs) -> Result<Vec<TokenHash>, Fault> {
    let mut tokens = Vec::new();
    for path in &args.node_token_file {
        tokens.push((path.display().to_string(), token_file(path)?));
    }
    if let Some(token) = args.node_token.as_ref().filter(|token| !token.is_empty()) {
        tokens.push(("PENSTOCK_NODE_TOKEN".to_owned(), token.clone()));
    }
    let checked = tokens
        .into_iter()
        .map(|(origin, token)| match check_strength(&token) {
            Ok(()) => Ok(TokenHash::of(&token)),
            Err(source) => Err(Fault::NodeToken { origin, source }),
        });
    checked.collect()
}

fn token_file(path: &Path) -> Result<Secret, Fault> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Secret::trimmed(&zeroize::Zeroizing::new(text))),
        Err(source) => Err(Fault::TokenFile {
            path: path.to_owned(),
            source,
        }),
    }
}

fn master_key(args: &MasterKeyArgs, warnings: &mut Vec<String>) -> Result<MasterKey, Fault> {
    if let Some(path) = &args.master_key_file {
        let loaded = load_master_key_file(path)?;
        warnings.extend(loaded.warning);
        return Ok(loaded.key);
    }
    match args.master_key.as_ref().filter(|key| !key.is_empty()) {
        Some(key) => Ok(MasterKey::parse(key.expose())?),
        None => Err(Fault::NoMasterKey),
    }
}

fn other_master_keys(args: &MasterKeyArgs, warnings: &mut Vec<String>) -> Result<Vec<MasterKey>, Fault> {
    let loaded = args.other_master_key_file.iter().map(|path| {
        let loaded = load_master_key_file(path)?;
        warnings.extend(loaded.warning);
        Ok(loaded.key)
    });
    loaded.collect()
}

/// The gRPC listener's TLS, when it is configured.
pub(crate) fn tls(args: &TlsArgs) -> Result<Option<ServerTlsConfig>, Fault> {
    let (Some(cert), Some(key)) = (&args.tls_cert, &args.tls_key) else {
        return Ok(None);
    };
    let read = |flag: &'static str, path: &Path| {
        fs::read(path).map_err(|source| Fault::TlsFile {
            flag,
            path: path.to_owned(),
            source,
        })
    };
    let identity = Identity::from_pem(read("--tls-cert", cert)?, read("--tls-key", key)?);
    let mut tls = ServerTlsConfig::new().identity(identity).timeout(HANDSHAKE);
    if let Some(ca) = &args.tls_ca {
        // Optional, since operators and nodes with a token come without a certificate.
        tls = tls
            .client_ca_root(Certificate::from_pem(read("--tls-ca", ca)?))
            .client_auth_optional(true);
    }
    Ok(Some(tls))
}

/// The configured database, or a SQLite one in the data directory.
pub(crate) fn database_url(config: &Config) -> Result<Secret, Fault> {
    if let Some(url) = config
        .database
        .database_url
        .as_ref()
        .filter(|url| !url.is_empty())
    {
        return Ok(url.clone());
    }
    let dir = config.data_dir.as_ref().ok_or(Fault::NoDatabase)?;
    fs::create_dir_all(dir).map_err(|source| Fault::DataDir {
        path: dir.clone(),
        source,
    })?;
    Ok(Secret::new(format!(
        "sqlite://{}",
        dir.join("penstock.db").display()
    )))
}

/// The configured name, else the host's.
pub(crate) fn replica_name(config: &Config) -> String {
    let host = || {
        let text =
            fs::read_to_string("/proc/sys/kernel/hostname").or_else(|_| fs::read_to_string("/etc/hostname"));
        text.ok()
            .map(|text| text.trim().to_owned())
            .filter(|name| !name.is_empty())
    };
    config
        .name
        .clone()
        .or_else(host)
        .unwrap_or_else(|| "control-plane".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    const TOKEN: &str = "9f86d081884c7d659a2feaa0c55ad015";

    fn config(args: &[&str]) -> Config {
        Config::parse_from([&["penstock-control-plane"], args].concat())
    }

    fn load(args: &[&str]) -> Result<Secrets, Fault> {
        Secrets::load(&config(args), false)
    }

    fn message(args: &[&str]) -> String {
        load(args).err().unwrap().to_string()
    }

    #[test]
    fn g15_each_missing_secret_is_named_with_the_fix() {
        assert!(message(&[]).contains("PENSTOCK_ADMIN_TOKEN"));
        assert!(message(&["--admin-token", TOKEN]).contains("--master-key-file"));
    }

    #[test]
    fn g15_a_weak_token_is_refused_without_being_shown() {
        let weak = message(&["--admin-token", "hunter2"]);
        assert!(weak.contains("too short") && !weak.contains("hunter2"), "{weak}");
        let key = hex::encode([1; 32]);
        let node = message(&[
            "--admin-token",
            TOKEN,
            "--master-key",
            &key,
            "--node-token",
            "hunter2",
        ]);
        assert!(
            node.contains("PENSTOCK_NODE_TOKEN") && !node.contains("hunter2"),
            "{node}"
        );
    }

    #[test]
    fn tokens_from_files_are_trimmed_and_all_valid() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        fs::write(path("admin"), format!("  {TOKEN}\n")).unwrap();
        fs::write(path("node"), format!("{TOKEN}-node\n")).unwrap();
        fs::write(path("key"), hex::encode([1; 32])).unwrap();
        let args = [
            "--admin-token-file",
            &path("admin"),
            "--master-key-file",
            &path("key"),
            "--node-token-file",
            &path("node"),
        ];
        let secrets = load(&args).ok().unwrap();
        assert!(secrets.admin.matches(TOKEN));
        assert_eq!(secrets.nodes.len(), 1);
        assert!(secrets.nodes[0].matches(&format!("{TOKEN}-node")));
    }

    #[test]
    fn a_start_without_any_way_for_nodes_is_a_warning() {
        let key = hex::encode([1; 32]);
        let secrets = load(&["--admin-token", TOKEN, "--master-key", &key])
            .ok()
            .unwrap();
        assert!(secrets.warnings[0].contains("--node-token-file"));
    }

    #[test]
    fn a_data_plane_in_the_same_process_needs_no_token_and_gets_no_warning() {
        let key = hex::encode([1; 32]);
        let config = config(&["--admin-token", TOKEN, "--master-key", &key]);
        let secrets = Secrets::load(&config, true).ok().unwrap();
        assert!(!secrets.warnings.iter().any(|text| text.contains("node token")));
    }

    #[test]
    fn g15_an_unreadable_tls_file_is_named_with_its_flag() {
        let args = TlsArgs {
            tls_cert: Some("/nowhere/cert.pem".into()),
            tls_key: Some("/nowhere/key.pem".into()),
            ..TlsArgs::default()
        };
        let text = tls(&args).err().unwrap().to_string();
        assert!(text.contains("--tls-cert /nowhere/cert.pem"), "{text}");
    }

    #[test]
    fn without_a_database_the_data_directory_has_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").display().to_string();
        let config = Config::parse_from(["penstock-control-plane", "--data-dir", &path]);
        assert!(
            database_url(&config)
                .ok()
                .unwrap()
                .expose()
                .ends_with("new/penstock.db")
        );
        let none = Config::parse_from(["penstock-control-plane"]);
        assert!(matches!(database_url(&none), Err(Fault::NoDatabase)));
    }
}
