//! One resource as operators name it in the history: `provider/main`, `key/alice/laptop`, `user/0198…`.

use penstock_core::invalid::Invalid;
use penstock_core::resource::Kind;
use penstock_store::Change;

use crate::admin::manifest::label;

/// Kind and name, or kind and id. None: nothing was named.
pub(super) fn read(text: &str) -> Result<Option<(Kind, String)>, Invalid> {
    if text.is_empty() {
        return Ok(None);
    }
    let found = text.split_once('/').and_then(|(kind, name)| {
        let kind = kind.replace('-', "_");
        let kind = Kind::ALL.into_iter().find(|known| known.as_str() == kind)?;
        (!name.is_empty()).then(|| (kind, name.to_owned()))
    });
    let kinds = Kind::ALL.map(Kind::as_str).join(", ");
    let problem =
        || format!("{text:?} is not KIND/NAME, as provider/main or key/alice/laptop; kinds are {kinds}");
    found.map(Some).ok_or_else(|| Invalid::new("resource", problem()))
}

/// Whether a change is one of the resource.
pub(super) fn is(change: &Change, (kind, name): &(Kind, String)) -> bool {
    change.reference.kind() == *kind && (change.reference.id() == *name || change.label == label(*kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g01_a_resource_is_named_by_kind_and_name() {
        assert_eq!(read(""), Ok(None));
        assert_eq!(
            read("key/alice/laptop"),
            Ok(Some((Kind::Key, "alice/laptop".to_owned())))
        );
        assert_eq!(read("error-rule/x"), Ok(Some((Kind::ErrorRule, "x".to_owned()))));
        for wrong in ["main", "thing/main", "user/"] {
            assert!(read(wrong).unwrap_err().problem.contains("KIND/NAME"), "{wrong}");
        }
    }
}
