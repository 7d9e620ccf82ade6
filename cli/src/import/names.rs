//! Their names in our characters. Other gateways take any text; ours stand in command lines, URLs and labels.

use std::collections::BTreeSet;

use penstock_core::name;

const MAX: usize = 64;

/// The nearest valid name; of nothing but other letters what `otherwise` says.
pub(crate) fn nearest(text: &str, otherwise: &str) -> String {
    near(text, otherwise, "._-", |name| name::check("name", name).is_ok())
}

/// The same for users, who can be called by their e-mail addresses.
pub(crate) fn nearest_user(text: &str, otherwise: &str) -> String {
    near(text, otherwise, "._-@+", |name| {
        name::check_user("name", name).is_ok()
    })
}

/// Names that were given already.
#[derive(Debug, Default)]
pub(crate) struct Given(BTreeSet<String>);

impl Given {
    /// The name, or when it is taken the name with the id of the record.
    pub(crate) fn take(&mut self, name: String, id: &str) -> String {
        if self.0.insert(name.clone()) {
            return name;
        }
        let id = nearest(id, "other");
        let room = MAX.saturating_sub(id.len() + 1);
        let short: String = name.chars().take(room).collect();
        let name = format!("{short}-{id}");
        self.0.insert(name.clone());
        name
    }
}

fn near(text: &str, otherwise: &str, extra: &str, valid: impl Fn(&str) -> bool) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || extra.contains(c);
    let mut name = String::new();
    for c in text.trim().chars() {
        match allowed(c) {
            true => name.push(c),
            false if !name.ends_with('-') => name.push('-'),
            false => {}
        }
    }
    let name = name.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    let name: String = name.chars().take(MAX).collect();
    match valid(&name) {
        true => name,
        false => otherwise.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a03_names_keep_what_they_can() {
        assert_eq!(nearest("Main Account (EU)", "x"), "Main-Account-EU");
        assert_eq!(nearest("张三的 key 2", "x"), "key-2");
        assert_eq!(nearest("张三", "key-17"), "key-17");
        assert_eq!(nearest_user("ann@acme.example", "x"), "ann@acme.example");
        assert_eq!(nearest("0198c0de-0000-7000-8000-000000000001", "key-1"), "key-1");
    }

    #[test]
    fn a03_two_of_one_name_differ_by_their_ids() {
        let mut given = Given::default();
        assert_eq!(given.take("main".into(), "1"), "main");
        assert_eq!(given.take("main".into(), "2"), "main-2");
    }
}
