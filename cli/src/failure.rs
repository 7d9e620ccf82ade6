//! What can go wrong in a command, in one or two lines that say what happened and what to do.

use std::io;
use std::path::PathBuf;

use penstock_core::invalid::Invalid;
use tonic::{Code, Status};

use crate::target::Origin;

/// Why a command failed. Its text goes to stderr and contains no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// Flags that contradict each other, in a way that clap cannot see.
    #[error("{0}")]
    Usage(String),
    #[error("{0}")]
    Input(String),
    #[error("cannot {action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "no control plane answers at {url} ({origin})\nIs it running? Start one with `penstock up`, or set PENSTOCK_SERVER or --server to where it listens."
    )]
    Refused { url: String, origin: Origin },
    #[error(
        "cannot connect to {url} ({origin}): {reason}\nCheck the address; https:// needs a certificate that this machine trusts, or --tls-ca."
    )]
    Unreachable {
        url: String,
        origin: Origin,
        reason: String,
    },
    #[error("{}", describe(.0))]
    Answer(Box<Status>),
    #[error(
        "the server's answer cannot be understood: {0}\nUse a penstock of the same release as the server."
    )]
    Answered(#[from] Invalid),
    /// Asked to say by the exit code whether anything differs, and something does. Nothing is said on top.
    #[error("something differs")]
    Differs,
    /// Something that was looked at is not well, and was said.
    #[error("not all is well")]
    Unwell,
    #[error("cannot write the output")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Other(Box<dyn std::error::Error + Send + Sync>),
}

impl Failure {
    /// Anything that explains itself, from `up` and `migrate`.
    pub(crate) fn other(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Other(error.into())
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Input(_)
            | Self::Differs
            | Self::Unwell
            | Self::File { .. }
            | Self::Refused { .. }
            | Self::Unreachable { .. }
            | Self::Answer(_)
            | Self::Answered(_)
            | Self::Output(_)
            | Self::Other(_) => 1,
        }
    }

    /// The resource was changed by somebody else since it was read.
    pub(crate) fn is_conflict(&self) -> bool {
        matches!(self, Self::Answer(status) if status.code() == Code::Aborted)
    }

    /// Nothing is wrong: the reader of our output went away (`penstock … | head`), or the exit code says it all.
    pub(crate) fn is_silent(&self) -> bool {
        matches!(self, Self::Differs | Self::Unwell) || self.is_broken_pipe()
    }

    fn is_broken_pipe(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Answer(Box::new(status))
    }
}

/// The server's words, and what to do where it cannot know it.
fn describe(status: &Status) -> String {
    let message = status.message();
    match status.code() {
        // Whoever shows the right token of an account learns why it is not let in.
        Code::Unauthenticated if message.starts_with("the operator ") => message.to_owned(),
        Code::Unauthenticated => {
            "the server refused the token\nSet PENSTOCK_TOKEN (or --token-file) to the admin token of this server, or to \
             an operator's."
                .to_owned()
        }
        Code::Unavailable => format!(
            "the server cannot do that now: {message}\nTry again in a moment; `penstock status` shows what is wrong."
        ),
        Code::DeadlineExceeded | Code::Cancelled => {
            format!(
                "the server did not answer in time: {message}\nSee with `penstock status` whether the change was made before repeating it."
            )
        }
        Code::Unimplemented => format!(
            "the server does not know this command: {message}\nUse a penstock of the same release as the server."
        ),
        Code::Internal | Code::Unknown | Code::DataLoss => {
            format!("the server failed: {message}\nIts log says more.")
        }
        Code::Ok
        | Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::ResourceExhausted
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::OutOfRange => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_usage_has_its_own_exit_code() {
        assert_eq!(Failure::Usage("x".into()).exit_code(), 2);
        assert_eq!(Failure::from(Status::not_found("no")).exit_code(), 1);
    }

    #[test]
    fn a_refused_token_says_how_to_set_it() {
        let text = Failure::from(Status::unauthenticated("invalid token")).to_string();
        assert!(text.contains("PENSTOCK_TOKEN"), "{text}");
        assert!(text.lines().count() <= 2);
    }

    #[test]
    fn the_servers_own_explanation_stands_alone() {
        let status = Status::not_found("there is no provider \"x\"");
        assert_eq!(Failure::from(status).to_string(), "there is no provider \"x\"");
    }

    #[test]
    fn a_reader_that_went_away_is_told_apart() {
        assert!(Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).is_broken_pipe());
        assert!(!Failure::from(io::Error::from(io::ErrorKind::StorageFull)).is_broken_pipe());
    }
}
