//! What an answer says of the credential.

use penstock_core::failure::{Class, Scope};

use super::ask::Answer;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credential {
    Accepted,
    Refused {
        permanent: bool,
    },
    /// It does not tell: no such endpoint, a page, a fault of the provider.
    Unknown,
}

/// Who complains of anything but the credential has let it through.
pub(super) fn credential(answer: &Answer) -> Credential {
    let Some(finding) = &answer.finding else {
        return match answer.is_success() {
            true => Credential::Accepted,
            false => Credential::Unknown,
        };
    };
    match finding.class {
        Class::Credential if finding.scope == Scope::Provider => Credential::Refused {
            permanent: finding.permanent,
        },
        Class::RateLimited | Class::Overloaded | Class::Billing => Credential::Accepted,
        Class::NoModel | Class::Caller | Class::TooLong | Class::Filtered | Class::ForeignState
            if answer.of_model =>
        {
            Credential::Accepted
        }
        Class::Credential
        | Class::NoModel
        | Class::Caller
        | Class::TooLong
        | Class::Filtered
        | Class::ForeignState
        | Class::Transient
        | Class::Interrupted
        | Class::Unrecognised => Credential::Unknown,
    }
}
