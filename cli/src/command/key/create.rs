//! `penstock key create`: a new secret, or one of another relay in one of three forms.

use penstock_core::access::Access;
use penstock_core::api_key::KeyHash;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::create_key_request::Import;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;

use super::show_secret;
use crate::args::access::AccessFlags;
use crate::args::limits::LimitFlags;
use crate::command::session::Session;
use crate::failure::Failure;
use crate::input::KeySecret;
use crate::remote::Reason;
use crate::target::process_env;

#[derive(clap::Args)]
pub(crate) struct Create {
    /// Whose key it is; name or id
    #[arg(long)]
    user: String,
    /// Name: letters, digits, `.`, `_` and `-`; unique among the user's keys
    #[arg(long)]
    name: String,
    #[command(flatten)]
    access: AccessFlags,
    #[command(flatten)]
    limits: LimitFlags,
    #[command(flatten)]
    secret: KeySecret,
    /// Take over an existing key by its SHA-256, 64 hexadecimal digits
    #[arg(long, value_name = "HEX", conflicts_with_all = ["secret", "secret_file", "secret_env"])]
    sha256: Option<KeyHash>,
    /// The SHA-256 is that of the key followed by this import suffix
    #[arg(long, value_name = "NAME", requires = "sha256")]
    import_suffix: Option<String>,
    /// What the generated key begins with [default: psk_]
    #[arg(long, conflicts_with_all = ["secret", "secret_file", "secret_env", "sha256"])]
    prefix: Option<String>,
    #[command(flatten)]
    reason: Reason,
}

impl Create {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut access = Access::default();
        self.access.apply(&mut access, session.now);
        // A user's rules have the form of a key's.
        let rules = convert::user_to_wire(&User {
            name: String::new(),
            access,
            limits: self.limits.create(),
        });
        let import = self.import()?;
        let request = wire::CreateKeyRequest {
            spec: Some(config::KeySpec {
                name: self.name,
                user_id: self.user,
                access: rules.access,
                limits: rules.limits,
                hint: String::new(),
            }),
            import,
            prefix: self.prefix.unwrap_or_default(),
            change: self.reason.info(),
        };
        let answer = session
            .connect()
            .await?
            .keys()
            .create_key(request)
            .await?
            .into_inner();
        show_secret(session, "was made", answer.key, answer.secret, answer.revision)
    }

    fn import(&self) -> Result<Option<Import>, Failure> {
        let sha256 = self.sha256.map(|hash| hash.0.to_vec());
        Ok(match (sha256, &self.import_suffix) {
            (Some(sha256), Some(suffix)) => Some(Import::Suffixed(wire::SuffixedHash {
                sha256,
                import_suffix: suffix.clone(),
            })),
            (Some(sha256), None) => Some(Import::Sha256(sha256)),
            // To be hashed by the control plane.
            (None, _) => self
                .secret
                .read(&process_env)?
                .map(|secret| Import::Secret(secret.expose().to_owned())),
        })
    }
}
