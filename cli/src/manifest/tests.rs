//! What is written reads back, and what is wrong is told where it stands.

use std::path::PathBuf;

use penstock_core::resource::Kind;
use penstock_proto::admin::v1::Manifest;
use prost_reflect::prost::Message;

use super::files::Source;
use super::{base, form, kind_word, read, schema, spec_of, write};

fn source(text: &str) -> Source {
    Source {
        name: "a.yaml".into(),
        folder: PathBuf::from("."),
        text: text.to_owned(),
    }
}

fn env(name: &str) -> Option<String> {
    name.starts_with("KEY").then(|| format!("value-of-{name}"))
}

fn manifests(text: &str) -> Vec<Manifest> {
    let declared = read::read(&[source(text)], &env).unwrap_or_else(|failure| panic!("{failure}"));
    declared
        .resources
        .into_iter()
        .map(|resource| resource.manifest)
        .collect()
}

fn problems(text: &str) -> String {
    let failure = read::read(&[source(text)], &env).err();
    failure
        .unwrap_or_else(|| panic!("must be refused: {text}"))
        .to_string()
}

fn written(manifests: &[Manifest]) -> String {
    let documents: Vec<_> = manifests
        .iter()
        .map(|manifest| write::document(manifest).unwrap())
        .collect();
    documents.join("---\n")
}

const ALL: &str = include_str!("testdata/all.yaml");

#[test]
fn g04_every_field_is_read_and_written_in_the_same_words() {
    let read = manifests(ALL);
    let text = written(&read);
    insta::assert_snapshot!(text);
    let again = manifests(&text);
    let bytes = |all: &[Manifest]| all.iter().map(Message::encode_to_vec).collect::<Vec<_>>();
    assert_eq!(bytes(&again), bytes(&read));
    assert_eq!(written(&again), text);
}

/// A new field of the protocol must be in the file that shows them all.
#[test]
fn g04_no_field_is_forgotten() {
    fn collect(of: &prost_reflect::MessageDescriptor, seen: &mut Vec<String>, words: &mut Vec<String>) {
        if seen.contains(&of.full_name().to_owned()) {
            return;
        }
        seen.push(of.full_name().to_owned());
        for field in form::fields(of) {
            if let form::Form::Message(inner) = &field.form {
                collect(inner, seen, words);
            }
            words.push(field.word);
        }
    }
    let (mut seen, mut words) = (Vec::new(), Vec::new());
    for kind in Kind::ALL {
        assert!(ALL.contains(&format!("kind: {}\n", kind_word(kind))), "{kind:?}");
        collect(&spec_of(kind).unwrap(), &mut seen, &mut words);
    }
    let missing: Vec<_> = words
        .iter()
        .filter(|word| !ALL.contains(&format!("{word}:")) && !ALL.contains(&format!("name: {word}\n")))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn g04_what_is_left_out_has_the_defaults_of_a_new_resource() {
    let read = manifests("apiVersion: penstock/v1\nkind: User\nname: alice\n");
    assert_eq!(
        written(&read),
        "apiVersion: penstock/v1\nkind: User\nname: alice\n"
    );
    for kind in Kind::ALL {
        let name = if kind == Kind::Setting { "routing" } else { "x" };
        assert!(base::of_kind(kind, name).is_some(), "{kind:?}");
    }
    assert!(base::of_kind(Kind::Setting, "x").is_none());
}

#[test]
fn g04_all_problems_are_told_at_once_each_with_its_place_and_what_to_do() {
    insta::assert_snapshot!(problems(include_str!("testdata/wrong.yaml")));
}

#[test]
fn g04_a_problem_of_the_domain_is_told_in_the_words_and_at_the_line_of_the_file() {
    insta::assert_snapshot!(problems(include_str!("testdata/invalid.yaml")));
}

#[test]
fn g04_a_resource_that_stands_twice_names_both_places() {
    let user = "apiVersion: penstock/v1\nkind: User\nname: alice\n";
    let twice = problems(&format!("{user}---\n{user}"));
    assert!(
        twice.contains("a.yaml:5: user \"alice\": is declared already at a.yaml:1"),
        "{twice}"
    );
}

#[test]
fn f01_a_secret_in_a_file_is_warned_of_and_never_quoted() {
    let text = "apiVersion: penstock/v1\nkind: Provider\nname: main\nspec:\n  kind: anthropic\n  base_urls: [https://h]\n  \
                credential:\n    api_key: hidden\n";
    let declared = read::read(&[source(text)], &env).ok().unwrap();
    let warning = declared.warnings[0].to_string();
    assert!(
        warning.starts_with("a.yaml:8: provider \"main\": spec.credential.api_key: is a secret"),
        "{warning}"
    );
    assert!(!warning.contains("hidden"));
}

#[test]
fn g04_the_schema_in_the_documentation_is_that_of_this_release() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema/penstock.schema.json");
    let text = format!("{}\n", serde_json::to_string_pretty(&schema::schema()).unwrap());
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        std::fs::write(path, &text).unwrap();
    }
    let known = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        known == text,
        "out of date; write it anew: penstock schema > docs/schema/penstock.schema.json"
    );
}
