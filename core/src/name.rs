//! Names that operators give to providers, users, keys and groups.
//!
//! They stand in command lines, URLs and metric labels, so the characters are few: letters, digits and `. _ -`,
//! with `@` and `+` for users that are called by their e-mail address. A name must not look like an id, because
//! every command takes either.

use uuid::Uuid;

use crate::invalid::Invalid;

const MAX: usize = 64;

/// Checks the name of a provider, key, group or tag.
pub fn check(field: &str, name: &str) -> Result<(), Invalid> {
    check_with(field, name, b"._-")
}

/// Checks the name of a user.
pub fn check_user(field: &str, name: &str) -> Result<(), Invalid> {
    check_with(field, name, b"._-@+")
}

fn check_with(field: &str, name: &str, extra: &[u8]) -> Result<(), Invalid> {
    let refuse = |problem: String| Err(Invalid::new(field, problem));
    let Some(first) = name.bytes().next() else {
        return refuse("must not be empty".to_owned());
    };
    if name.len() > MAX {
        return refuse(format!(
            "is {} characters long; at most {MAX} are allowed",
            name.len()
        ));
    }
    if !first.is_ascii_alphanumeric() {
        return refuse("must begin with a letter or a digit".to_owned());
    }
    if let Some(bad) = name
        .chars()
        .find(|c| !c.is_ascii_alphanumeric() && !is_extra(*c, extra))
    {
        let allowed: String = extra.iter().map(|b| char::from(*b)).collect();
        return refuse(format!(
            "contains {bad:?}; letters, digits and {allowed:?} are allowed"
        ));
    }
    if Uuid::parse_str(name).is_ok() {
        return refuse("looks like an id; choose another name".to_owned());
    }
    Ok(())
}

fn is_extra(c: char, extra: &[u8]) -> bool {
    u8::try_from(c).is_ok_and(|byte| extra.contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_names_pass() {
        for name in ["a", "main-1", "claude_official", "7up", "x.y"] {
            assert_eq!(check("name", name), Ok(()), "{name}");
        }
        assert_eq!(check_user("name", "ann+dev@example.org"), Ok(()));
    }

    #[test]
    fn bad_names_say_what_is_wrong() {
        let problem = |name: &str| check("spec.name", name).unwrap_err().to_string();
        assert_eq!(problem(""), "spec.name: must not be empty");
        assert!(problem("-x").contains("begin with a letter"));
        assert!(problem("a/b").contains("'/'"));
        assert!(problem(&"x".repeat(65)).contains("at most 64"));
        assert!(problem("0198c0de-0000-7000-8000-000000000000").contains("looks like an id"));
    }
}
