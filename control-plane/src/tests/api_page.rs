//! `docs/api.md`: the operators' services, written from the comments of the protocol and the table of roles.
//!
//! A test, so that the page cannot go stale; `just docs` writes it anew.

use std::collections::BTreeMap;
use std::fmt::Write;

use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};
use prost_types::{FileDescriptorSet, ServiceDescriptorProto};

use crate::access::{Needs, Rule, needs_of};

const HELD: &str = include_str!("../../../docs/api.md");

/// The operators' own package first, then what its messages are made of.
const PACKAGES: [&str; 5] = [
    "penstock.admin.v1",
    "penstock.config.v1",
    "penstock.telemetry.v1",
    "penstock.sync.v1",
    "penstock.fleet.v1",
];

/// The comments of a file, by path.
struct Comments(BTreeMap<Vec<i32>, String>);

impl Comments {
    fn of(file: &FileDescriptorProto) -> Self {
        let locations = file.source_code_info.iter().flat_map(|info| &info.location);
        let text = |comment: &str| {
            let lines = comment.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
            lines.collect::<Vec<_>>().join("\n").trim().to_owned()
        };
        let comments =
            locations.filter_map(|at| Some((at.path.clone(), text(at.leading_comments.as_ref()?))));
        Self(comments.collect())
    }

    fn at(&self, path: &[i32]) -> &str {
        self.0.get(path).map_or("", String::as_str)
    }
}

#[test]
fn the_page_of_the_api_is_what_the_protocol_says() {
    let page = page();
    if HELD != page && std::env::var_os("PENSTOCK_WRITE_DOCS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/api.md"), page).unwrap();
        return;
    }
    assert!(
        HELD == page,
        "docs/api.md is stale; write it anew with: just docs"
    );
}

/// What a comment says of the role must be what the gate does.
#[test]
fn g09_the_roles_in_the_protocols_comments_are_those_of_the_gate() {
    for file in files().into_iter().filter(|file| file.package() == PACKAGES[0]) {
        let comments = Comments::of(&file);
        for (service, i) in file.service.iter().zip(0..) {
            for (method, j) in service.method.iter().zip(0..) {
                let comment = comments.at(&[6, i, 2, j]);
                if let Some(line) = comment.lines().find(|line| line.starts_with("Role: ")) {
                    let rule = rule(&file, service, method.name());
                    assert_eq!(line, format!("Role: {}.", role(rule)), "{}", method.name());
                }
            }
        }
    }
}

fn files() -> Vec<FileDescriptorProto> {
    let set = <FileDescriptorSet as prost::Message>::decode(penstock_proto::DESCRIPTORS).unwrap();
    set.file
}

fn page() -> String {
    let mut page = String::from(
        "# The API\n\n<!-- Written from proto/proto by `just docs`; edit the comments there. -->\n\nOperators' services over gRPC, \
         on the port of `--listen-grpc`. Server reflection is on for viewers; health checks are `grpc.health.v1`. What each role may \
         call is on [the page for operators](operators.md).\n",
    );
    let files = files();
    for file in &files {
        let preface = Comments::of(file);
        if file.package() == PACKAGES[0] && !preface.at(&[2]).is_empty() {
            writeln!(page, "\n{}", preface.at(&[2])).unwrap();
        }
    }
    for package in PACKAGES {
        let inside: Vec<_> = files.iter().filter(|file| file.package() == package).collect();
        if package == PACKAGES[0] {
            inside.iter().for_each(|file| services(&mut page, file));
        }
        writeln!(page, "\n## Messages of `{package}`").unwrap();
        inside.iter().for_each(|file| messages(&mut page, file));
    }
    page
}

fn services(page: &mut String, file: &FileDescriptorProto) {
    let comments = Comments::of(file);
    for (service, i) in file.service.iter().zip(0..) {
        writeln!(page, "\n## {}\n\n{}", service.name(), comments.at(&[6, i])).unwrap();
        for (method, j) in service.method.iter().zip(0..) {
            let stream = if method.server_streaming() {
                "stream of "
            } else {
                ""
            };
            let (input, output) = (short(method.input_type()), short(method.output_type()));
            let role = role(rule(file, service, method.name()));
            let comment = comments
                .at(&[6, i, 2, j])
                .lines()
                .filter(|line| !line.starts_with("Role: "));
            let comment: Vec<_> = comment.collect();
            writeln!(page, "\n### {}/{}\n", service.name(), method.name()).unwrap();
            writeln!(page, "`{input}` → {stream}`{output}` · role: {role}").unwrap();
            if !comment.is_empty() {
                writeln!(page, "\n{}", comment.join("\n").trim()).unwrap();
            }
        }
    }
}

fn messages(page: &mut String, file: &FileDescriptorProto) {
    let comments = Comments::of(file);
    for (message, i) in file.message_type.iter().zip(0..) {
        one_message(page, message, &[4, i], &comments);
    }
    for (of, i) in file.enum_type.iter().zip(0..) {
        one_enum(page, of, &[5, i], &comments);
    }
}

fn one_message(page: &mut String, message: &DescriptorProto, path: &[i32], comments: &Comments) {
    heading(page, message.name(), comments.at(path));
    for (field, j) in message.field.iter().zip(0..) {
        let comment = comments.at(&[path, &[2, j]].concat()).replace('\n', " ");
        let comment = if comment.is_empty() {
            comment
        } else {
            format!(": {comment}")
        };
        writeln!(
            page,
            "- `{}` ({}{}){comment}",
            field.name(),
            presence(message, field),
            kind(field)
        )
        .unwrap();
    }
}

fn one_enum(page: &mut String, of: &EnumDescriptorProto, path: &[i32], comments: &Comments) {
    heading(page, of.name(), comments.at(path));
    for (value, j) in of.value.iter().zip(0..) {
        let comment = comments.at(&[path, &[2, j]].concat()).replace('\n', " ");
        let comment = if comment.is_empty() {
            comment
        } else {
            format!(": {comment}")
        };
        writeln!(page, "- `{}` = {}{comment}", value.name(), value.number()).unwrap();
    }
}

fn heading(page: &mut String, name: &str, comment: &str) {
    writeln!(page, "\n### {name}\n").unwrap();
    if !comment.is_empty() {
        writeln!(page, "{comment}\n").unwrap();
    }
}

fn presence(message: &DescriptorProto, field: &FieldDescriptorProto) -> String {
    if field.label() == Label::Repeated {
        return "repeated ".to_owned();
    }
    match field
        .oneof_index
        .and_then(|i| message.oneof_decl.get(usize::try_from(i).ok()?))
    {
        Some(_) if field.proto3_optional() => "optional ".to_owned(),
        Some(oneof) => format!("one of `{}`, ", oneof.name()),
        None => String::new(),
    }
}

fn kind(field: &FieldDescriptorProto) -> String {
    let kind = field.r#type();
    if matches!(kind, Type::Message | Type::Enum) {
        return format!("`{}`", short(field.type_name()));
    }
    kind.as_str_name()
        .trim_start_matches("TYPE_")
        .to_ascii_lowercase()
}

fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap()
}

fn rule(file: &FileDescriptorProto, service: &ServiceDescriptorProto, method: &str) -> Rule {
    let path = format!("/{}.{}/{method}", file.package(), service.name());
    match needs_of(&path) {
        Some(Needs::Operator(rule)) => rule,
        other => panic!("{path} is no RPC of operators: {other:?}"),
    }
}

fn role(rule: Rule) -> String {
    let own = if rule.own { "; user" } else { "" };
    format!("{}{own}", rule.least.as_str())
}
