//! What changed in the configuration: one resource before and after.

use penstock_core::resource::Kind;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;
use serde_json::Value;

use super::View;

/// One resource before and after.
#[derive(Debug, Serialize)]
pub(crate) struct Change {
    /// `created`, `updated` or `deleted`.
    pub action: &'static str,
    pub kind: &'static str,
    pub id: String,
    /// For people: `provider "main"`.
    pub label: String,
    /// None: did not exist.
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// `penstock config diff`.
#[derive(Debug, Serialize)]
pub(crate) struct Difference {
    pub from: u64,
    pub to: u64,
    pub items: Vec<Change>,
}

/// `penstock config show REVISION --resource R`.
#[derive(Debug, Serialize)]
pub(crate) struct Past {
    pub revision: u64,
    #[serde(flatten)]
    pub change: Change,
}

impl From<wire::Change> for Change {
    fn from(change: wire::Change) -> Self {
        let reference = change.resource.unwrap_or_default();
        let (before, after) = (read(&change.before_json), read(&change.after_json));
        let action = match (&before, &after) {
            (None, _) => "created",
            (Some(_), None) => "deleted",
            (Some(_), Some(_)) => "updated",
        };
        Self {
            action,
            kind: convert::enums::kind_from_wire("kind", reference.kind).map_or("unknown", Kind::as_str),
            id: reference.id,
            label: change.label,
            before,
            after,
        }
    }
}

fn read(json: &str) -> Option<Value> {
    if json.is_empty() {
        return None;
    }
    // A server of another release may write something else than JSON; it is shown as it is.
    Some(serde_json::from_str(json).unwrap_or_else(|_| Value::String(json.to_owned())))
}

impl Change {
    /// The change in lines: the resource, then each field that differs.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("{} {}", sign(self.action), self.label)];
        if let (Some(before), Some(after)) = (&self.before, &self.after) {
            differences("", before, after, &mut lines);
        }
        lines
    }
}

impl View for Past {
    fn table(&self) -> String {
        let mut lines = vec![format!("{} at revision {}", self.change.label, self.revision)];
        if let Some(state) = &self.change.after {
            fields("", state, &mut lines);
        }
        lines.join("\n")
    }
}

impl View for Difference {
    fn table(&self) -> String {
        if self.items.is_empty() {
            return format!("nothing differs between revisions {} and {}", self.from, self.to);
        }
        self.items
            .iter()
            .flat_map(Change::lines)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn sign(action: &str) -> char {
    match action {
        "created" => '+',
        "deleted" => '-',
        _ => '~',
    }
}

/// Every field of a state in a line.
fn fields(path: &str, state: &Value, lines: &mut Vec<String>) {
    let Some(members) = state.as_object().filter(|members| !members.is_empty()) else {
        lines.push(format!("    {path}: {state}"));
        return;
    };
    for (name, value) in members {
        fields(&join(path, name), value, lines);
    }
}

fn join(path: &str, name: &str) -> String {
    match path.is_empty() {
        true => name.to_owned(),
        false => format!("{path}.{name}"),
    }
}

fn differences(path: &str, before: &Value, after: &Value, lines: &mut Vec<String>) {
    if before == after {
        return;
    }
    if let (Value::Object(old), Value::Object(new)) = (before, after) {
        let added = new.keys().filter(|name| !old.contains_key(*name));
        for name in old.keys().chain(added) {
            let path = join(path, name);
            let (old, new) = (
                old.get(name).unwrap_or(&Value::Null),
                new.get(name).unwrap_or(&Value::Null),
            );
            differences(&path, old, new, lines);
        }
        return;
    }
    lines.push(format!("    {path}: {before} -> {after}"));
}

#[cfg(test)]
mod tests {
    use penstock_proto::config::v1 as config;

    use super::*;

    fn change(before: &str, after: &str) -> Change {
        wire::Change {
            resource: Some(config::ResourceRef {
                kind: config::ResourceKind::User.into(),
                id: "0198".into(),
            }),
            label: "user \"alice\"".into(),
            before_json: before.into(),
            after_json: after.into(),
        }
        .into()
    }

    #[test]
    fn g01_a_change_lists_the_fields_that_differ() {
        let change = change(
            r#"{"name":"alice","access":{"enabled":true,"tags":[]}}"#,
            r#"{"name":"alice","access":{"enabled":false,"tags":["x"]}}"#,
        );
        assert_eq!(
            change.lines(),
            [
                "~ user \"alice\"",
                "    access.enabled: true -> false",
                "    access.tags: [] -> [\"x\"]"
            ]
        );
    }

    #[test]
    fn g01_what_came_and_went_is_told_by_its_sign() {
        assert_eq!(change("", "{}").lines(), ["+ user \"alice\""]);
        assert_eq!(change("{}", "").lines(), ["- user \"alice\""]);
        assert_eq!(change("{}", "").action, "deleted");
    }

    #[test]
    fn the_json_form_holds_objects_and_not_their_text() {
        let json = serde_json::to_value(change("", r#"{"name":"alice"}"#)).unwrap();
        assert_eq!(json["after"]["name"], "alice");
        assert_eq!((&json["before"], &json["kind"]), (&Value::Null, &"user".into()));
    }

    #[test]
    fn no_difference_is_said() {
        let same = Difference {
            from: 3,
            to: 4,
            items: Vec::new(),
        };
        assert_eq!(same.table(), "nothing differs between revisions 3 and 4");
    }
}
