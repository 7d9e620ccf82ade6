//! Errors as gRPC statuses. The only place that decides on a code.
//!
//! | error | code |
//! |---|---|
//! | stale version | `ABORTED`, naming resource, both versions, who and when |
//! | exists already, name or secret taken | `ALREADY_EXISTS` |
//! | not there | `NOT_FOUND` |
//! | still in use, ambiguous name | `FAILED_PRECONDITION` |
//! | invalid field | `INVALID_ARGUMENT`, with the field's path |
//! | no database | `UNAVAILABLE` |
//! | damaged row, lost master key | `DATA_LOSS` |
//!
//! What a database said is logged here and not sent: it can hold SQL and addresses.

use penstock_core::invalid::Invalid;
use penstock_store::Error;
use tonic::{Code, Status};

/// A store's error for the caller.
pub(super) fn from_store(error: Error) -> Status {
    let code = match &error {
        Error::Conflict {
            expected: None,
            actual: Some(_),
            ..
        }
        | Error::NameTaken { .. }
        | Error::SecretTaken { .. } => Code::AlreadyExists,
        Error::Conflict { .. } => Code::Aborted,
        Error::NotFound { .. } => Code::NotFound,
        Error::InUse { .. } => Code::FailedPrecondition,
        Error::Invalid(_) => Code::InvalidArgument,
        Error::Corrupt { .. } => Code::DataLoss,
        Error::Unavailable { source } => {
            tracing::warn!(error = %source, "the database is not available to an operator's call");
            let text = "the database is not available; a change may or may not have been made: read before repeating it";
            return Status::unavailable(text);
        }
    };
    Status::new(code, error.to_string())
}

/// A field that cannot be taken.
pub(super) fn invalid(invalid: &Invalid) -> Status {
    Status::invalid_argument(invalid.to_string())
}

/// A field that cannot be taken, inside the message field `outer`.
pub(super) fn invalid_in(outer: &'static str) -> impl Fn(Invalid) -> Status {
    move |error| invalid(&error.within(outer))
}

/// A field that must be there.
pub(super) fn required<T>(field: &str, value: Option<T>) -> Result<T, Status> {
    value.ok_or_else(|| invalid(&Invalid::new(field, "is missing")))
}

/// The version that an update must carry.
pub(super) fn expected_version(version: u64) -> Result<u64, Status> {
    if version == 0 {
        let problem = "is missing; read the resource and send the version that was read";
        return Err(invalid(&Invalid::new("expected_version", problem)));
    }
    Ok(version)
}

/// There is nothing of this name.
pub(super) fn not_found(label: &str) -> Status {
    Status::not_found(format!("{label} does not exist"))
}

#[cfg(test)]
mod tests {
    use penstock_core::time::UnixMs;

    use super::*;

    fn conflict(expected: Option<u64>, actual: Option<u64>) -> Status {
        from_store(Error::Conflict {
            label: "provider \"main\"".into(),
            expected,
            actual,
            changed_by: Some("bob".into()),
            changed_at: Some(UnixMs(1_700_000_000_000)),
        })
    }

    #[test]
    fn g01_a_stale_version_is_aborted_and_says_what_was_newer() {
        let status = conflict(Some(3), Some(4));
        assert_eq!(status.code(), Code::Aborted);
        for part in ["provider \"main\"", "version 3", "version 4", "bob", "2023-11-14"] {
            assert!(status.message().contains(part), "{part}: {}", status.message());
        }
        assert_eq!(conflict(Some(3), None).code(), Code::Aborted);
    }

    #[test]
    fn creating_what_exists_is_already_exists() {
        assert_eq!(conflict(None, Some(1)).code(), Code::AlreadyExists);
        let taken = Error::SecretTaken {
            label: "key \"a/b\"".into(),
        };
        assert_eq!(from_store(taken).code(), Code::AlreadyExists);
    }

    #[test]
    fn an_invalid_field_is_named_by_its_path() {
        let status = invalid_in("spec")(Invalid::new("base_urls[0]", "is not a URL"));
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "spec.base_urls[0]: is not a URL");
    }

    #[test]
    fn an_update_needs_the_version_that_was_read() {
        assert_eq!(expected_version(0).unwrap_err().code(), Code::InvalidArgument);
        assert_eq!(expected_version(7).unwrap(), 7);
    }
}
