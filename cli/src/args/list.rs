//! Options that can be given several times and together replace a list.
//!
//! An empty value (`--group ''`) stands for no entry, so that one option alone empties the list; not giving the option
//! at all leaves the list as it is.

use std::str::FromStr;

/// One value of a repeatable option; None for the empty one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry<T>(Option<T>);

impl<T: FromStr> FromStr for Entry<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        text.parse().map(|value| Self(Some(value)))
    }
}

impl<T> Entry<T> {
    pub(crate) fn into_option(self) -> Option<T> {
        self.0
    }
}

impl<T: Clone> Entry<T> {
    /// The one value of an option that is not repeatable.
    pub(crate) fn value(&self) -> Option<T> {
        self.0.clone()
    }
}

/// Replaces the list by what was given, if anything was.
pub(crate) fn replace<T: Clone>(list: &mut Vec<T>, given: Option<&[Entry<T>]>) {
    if let Some(given) = given {
        *list = given.iter().filter_map(|entry| entry.0.clone()).collect();
    }
}

/// [`replace`] for values that are written in another form than they are kept in.
pub(crate) fn replace_with<T, U>(list: &mut Vec<U>, given: Option<&[Entry<T>]>, convert: impl Fn(&T) -> U) {
    if let Some(given) = given {
        *list = given
            .iter()
            .filter_map(|entry| entry.0.as_ref())
            .map(convert)
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(texts: &[&str]) -> Vec<Entry<String>> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn what_is_given_replaces_what_was_there() {
        let mut list = vec!["old".to_owned()];
        replace(&mut list, None);
        assert_eq!(list, ["old"]);
        replace(&mut list, Some(&given(&["a", "b"])));
        assert_eq!(list, ["a", "b"]);
    }

    #[test]
    fn an_empty_value_empties_the_list() {
        let mut list = vec!["old".to_owned()];
        replace(&mut list, Some(&given(&[""])));
        assert!(list.is_empty());
    }
}
