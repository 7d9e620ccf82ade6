//! A provider's credential, of whatever kind. Secrets come through files, the environment or standard input.

use std::path::PathBuf;

use penstock_core::secret::Secret;
use penstock_proto::admin::v1::NewCredential;
use penstock_proto::admin::v1::new_credential::Credential as Wire;
use penstock_proto::config::v1::AwsKeys;

use crate::failure::Failure;
use crate::input::{self, ApiKey, Given};
use crate::target::Env;

/// At most one kind of credential.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct CredentialFlags {
    #[command(flatten)]
    pub(crate) api_key: ApiKey,
    #[command(flatten)]
    bearer: BearerFlags,
    #[command(flatten)]
    aws: AwsFlags,

    /// Key file of a Google service account, as the console gives it
    #[arg(long, value_name = "FILE", help_heading = "Other credentials")]
    service_account_file: Option<PathBuf>,
}

/// A token that goes as `Authorization: Bearer`.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
#[group(multiple = false)]
struct BearerFlags {
    /// Environment variable that holds a bearer token; also an API key of Bedrock
    #[arg(long, value_name = "VAR", help_heading = "Other credentials")]
    bearer_token_env: Option<String>,

    /// File that holds a bearer token
    #[arg(long, value_name = "FILE", help_heading = "Other credentials")]
    bearer_token_file: Option<PathBuf>,

    /// `-`: read a bearer token from standard input
    #[arg(
        long,
        value_name = "-",
        allow_hyphen_values = true,
        help_heading = "Other credentials"
    )]
    bearer_token: Option<Given>,
}

/// Keys with which requests are signed (SigV4).
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
struct AwsFlags {
    /// Access key id of AWS; with --region and the secret, requests are signed
    #[arg(long, value_name = "ID", help_heading = "Other credentials")]
    aws_access_key_id: Option<String>,

    /// Environment variable that holds the secret access key
    #[arg(long, value_name = "VAR", help_heading = "Other credentials")]
    aws_secret_access_key_env: Option<String>,

    /// File that holds the secret access key
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Other credentials",
        conflicts_with = "aws_secret_access_key_env"
    )]
    aws_secret_access_key_file: Option<PathBuf>,

    /// Environment variable that holds the session token of temporary keys
    #[arg(long, value_name = "VAR", help_heading = "Other credentials")]
    aws_session_token_env: Option<String>,

    /// File that holds the session token of temporary keys
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Other credentials",
        conflicts_with = "aws_session_token_env"
    )]
    aws_session_token_file: Option<PathBuf>,

    /// AWS region that requests are signed for: us-east-1
    #[arg(long, value_name = "REGION", help_heading = "Other credentials")]
    region: Option<String>,
}

impl CredentialFlags {
    /// The credential; None when no flag was given.
    pub(crate) fn read(&self, env: Env<'_>) -> Result<Option<NewCredential>, Failure> {
        let shown = |secret: &Secret| secret.expose().to_owned();
        // To be sealed by the control plane.
        let given = [
            self.api_key.read(env)?.map(|key| Wire::ApiKey(shown(&key))),
            self.bearer
                .read(env)?
                .map(|token| Wire::BearerToken(shown(&token))),
            self.aws.read(env)?.map(Wire::AwsKeys),
            self.service_account()?
                .map(|file| Wire::ServiceAccountJson(shown(&file))),
        ];
        let mut given = given.into_iter().flatten();
        let credential = given.next();
        if given.next().is_some() {
            let problem = "a provider has one credential: give an API key, a bearer token, keys of AWS or a service account";
            return Err(Failure::Usage(problem.into()));
        }
        Ok(credential.map(|credential| NewCredential {
            credential: Some(credential),
        }))
    }

    fn service_account(&self) -> Result<Option<Secret>, Failure> {
        self.service_account_file.as_deref().map(input::file).transpose()
    }
}

impl BearerFlags {
    fn read(&self, env: Env<'_>) -> Result<Option<Secret>, Failure> {
        let (path, variable) = (
            self.bearer_token_file.as_deref(),
            self.bearer_token_env.as_deref(),
        );
        input::read(self.bearer_token, path, variable, env)
    }
}

impl AwsFlags {
    fn read(&self, env: Env<'_>) -> Result<Option<AwsKeys>, Failure> {
        if *self == Self::default() {
            return Ok(None);
        }
        let secret = input::read(
            None,
            self.aws_secret_access_key_file.as_deref(),
            self.aws_secret_access_key_env.as_deref(),
            env,
        )?;
        let token = input::read(
            None,
            self.aws_session_token_file.as_deref(),
            self.aws_session_token_env.as_deref(),
            env,
        )?;
        let (Some(id), Some(secret), Some(region)) = (&self.aws_access_key_id, secret, &self.region) else {
            let problem =
                "keys of AWS need --aws-access-key-id, --aws-secret-access-key-env or -file, and --region";
            return Err(Failure::Usage(problem.into()));
        };
        Ok(Some(AwsKeys {
            access_key_id: id.clone(),
            secret_access_key: secret.expose().to_owned(),
            session_token: token.map(|token| token.expose().to_owned()).unwrap_or_default(),
            region: region.clone(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        credential: CredentialFlags,
    }

    fn read(arguments: &[&str]) -> Result<Option<Wire>, Failure> {
        let command = Command::try_parse_from(std::iter::once(&"x").chain(arguments)).unwrap();
        let env = |name: &str| Some(format!("value-of-{name}"));
        let read = command.credential.read(&env)?;
        Ok(read.and_then(|new| new.credential))
    }

    #[test]
    fn f02_each_kind_of_credential_has_its_flags() {
        let read = |arguments: &[&str]| read(arguments).ok().unwrap();
        assert!(read(&[]).is_none());
        assert!(matches!(read(&["--api-key-env", "K"]), Some(Wire::ApiKey(key)) if key == "value-of-K"));
        let bearer = read(&["--bearer-token-env", "T"]);
        assert!(matches!(bearer, Some(Wire::BearerToken(token)) if token == "value-of-T"));
        let aws = [
            "--aws-access-key-id",
            "AKIA1",
            "--aws-secret-access-key-env",
            "S",
            "--region",
            "us-east-1",
        ];
        let Some(Wire::AwsKeys(keys)) = read(&aws) else {
            panic!("keys of AWS");
        };
        assert_eq!(keys.secret_access_key, "value-of-S");
    }

    #[test]
    fn f02_two_kinds_or_half_of_one_are_refused() {
        let both = read(&["--api-key-env", "K", "--bearer-token-env", "T"]);
        assert!(both.err().unwrap().to_string().contains("one credential"));
        let half = read(&["--aws-access-key-id", "AKIA1", "--region", "us-east-1"]);
        assert!(
            half.err()
                .unwrap()
                .to_string()
                .contains("--aws-secret-access-key-env")
        );
    }
}
