//! From files to manifests, with everything that is wrong with them.

use std::collections::BTreeMap;

use penstock_core::invalid::Invalid;
use penstock_core::resource::Kind;
use penstock_proto::admin::v1::Manifest;
use penstock_proto::admin::v1::manifest::Spec;
use penstock_proto::convert;

use super::files::Source;
use super::message::Reader;
use super::problem::{self, Place, Problem};
use super::reference::References;
use super::tree::{Content, Node};
use super::{documents, tree};
use crate::failure::Failure;
use crate::target::Env;

/// All resources of all files.
#[derive(Default)]
pub(crate) struct Declared {
    pub resources: Vec<Resource>,
    /// Secrets that stand in files.
    pub warnings: Vec<Problem>,
}

/// One resource and where it stands.
pub(crate) struct Resource {
    pub kind: Kind,
    pub manifest: Manifest,
    /// `key "alice/laptop"`.
    pub label: String,
    place: Place,
    /// By the protocol's path: as the file calls it, and its line.
    places: BTreeMap<String, (String, usize)>,
}

/// Reads and checks; all problems of all files at once.
pub(crate) fn read(sources: &[Source], env: Env<'_>) -> Result<Declared, Failure> {
    let (mut declared, mut problems) = (Declared::default(), Vec::new());
    for source in sources {
        file(source, env, &mut declared, &mut problems);
    }
    problems.extend(twice(&declared.resources));
    for resource in &declared.resources {
        if let Err(invalid) = convert::declared_from_wire(&resource.manifest) {
            problems.push(resource.problem(&invalid));
        }
    }
    match problems.is_empty() {
        true => Ok(declared),
        false => Err(problem::failure(problems)),
    }
}

fn file(source: &Source, env: Env<'_>, declared: &mut Declared, problems: &mut Vec<Problem>) {
    let place = |line| Place {
        file: source.name.clone(),
        line,
    };
    let documents = match tree::documents(&source.text) {
        Ok(documents) => documents,
        Err(fault) => {
            problems.push(Problem {
                place: place(fault.line),
                resource: String::new(),
                field: String::new(),
                text: fault.text,
            });
            return;
        }
    };
    for document in resources(&documents) {
        let mut reader = Reader {
            references: References {
                env,
                folder: &source.folder,
            },
            place: place(document.line),
            resource: String::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            places: BTreeMap::new(),
        };
        let read = documents::read(&mut reader, document);
        if read.is_none() && reader.problems.is_empty() {
            reader.problem(document.line, "", "cannot be read by this release");
        }
        declared.warnings.append(&mut reader.warnings);
        // A resource that is half read is not checked further: what is missing in it is not missing in the file.
        let whole = reader.problems.is_empty();
        problems.append(&mut reader.problems);
        declared
            .resources
            .extend(read.filter(|_| whole).map(|(kind, manifest)| Resource {
                kind,
                label: label(kind, &manifest),
                manifest,
                place: place(document.line),
                places: reader.places,
            }));
    }
}

/// A document is a resource, or a list of them; an empty one is nothing.
fn resources(documents: &[Node]) -> impl Iterator<Item = &Node> {
    let inside = |document: &'_ Node| match &document.content {
        Content::List(_) => false,
        Content::Scalar { .. } | Content::Map(_) => true,
    };
    documents
        .iter()
        .filter(|document| !document.is_null())
        .flat_map(move |document| {
            let (one, items) = match &document.content {
                Content::List(items) => (None, items.as_slice()),
                Content::Scalar { .. } | Content::Map(_) => (Some(document), [].as_slice()),
            };
            one.filter(|document| inside(document)).into_iter().chain(items)
        })
}

fn label(kind: Kind, manifest: &Manifest) -> String {
    let word = kind.as_str().replace('_', " ");
    match &manifest.spec {
        Some(Spec::Key(key)) => format!("{word} \"{}/{}\"", key.user, manifest.name),
        _ => format!("{word} {:?}", manifest.name),
    }
}

/// The same resource in two places.
fn twice(resources: &[Resource]) -> Vec<Problem> {
    let mut first: BTreeMap<&str, &Place> = BTreeMap::new();
    let mut problems = Vec::new();
    for resource in resources {
        match first.get(resource.label.as_str()) {
            Some(place) => problems.push(Problem {
                place: resource.place.clone(),
                resource: resource.label.clone(),
                field: String::new(),
                text: format!("is declared already at {place}: leave one of the two out"),
            }),
            None => drop(first.insert(&resource.label, &resource.place)),
        }
    }
    problems
}

impl Resource {
    /// What is wrong with a field, which the protocol's path names, at its line and in the file's words.
    pub(crate) fn problem(&self, invalid: &Invalid) -> Problem {
        let mut path = invalid.field.as_str();
        let found = loop {
            if let Some(found) = self.places.get(path) {
                break Some((path, found));
            }
            match path.rfind(['.', '[']) {
                Some(at) => path = path.get(..at).unwrap_or_default(),
                None => break self.places.get("").map(|found| ("", found)),
            }
        };
        let (field, line) = match found {
            Some((path, (word, line))) if path == invalid.field => (word.clone(), *line),
            // A field that was left out: the line of what it is missing in.
            Some(("", (_, line))) => (outside(&invalid.field), *line),
            Some((path, (word, line))) => {
                let rest = invalid.field.get(path.len()..).unwrap_or_default();
                (format!("{word}{rest}"), *line)
            }
            None => (outside(&invalid.field), self.place.line),
        };
        Problem {
            place: Place {
                line,
                ..self.place.clone()
            },
            resource: self.label.clone(),
            field,
            text: invalid.problem.clone(),
        }
    }
}

/// The path of a field that does not stand in the file.
fn outside(path: &str) -> String {
    let inner = path.strip_prefix("spec.").unwrap_or(path);
    let inner = inner.strip_prefix("access.").unwrap_or(inner);
    match inner {
        "name" => inner.to_owned(),
        "" => "spec".to_owned(),
        _ => format!("spec.{inner}"),
    }
}
