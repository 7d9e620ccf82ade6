use std::collections::BTreeSet;
use std::fmt::Write;

use super::*;

/// The page that operators read.
const PAGE: &str = include_str!("../../../../docs/operators.md");

fn rpcs() -> Vec<(String, String)> {
    let set =
        <prost_types::FileDescriptorSet as prost::Message>::decode(penstock_proto::DESCRIPTORS).unwrap();
    let mut found = Vec::new();
    for file in &set.file {
        for service in &file.service {
            let name = format!("{}.{}", file.package(), service.name());
            let methods = service.method.iter();
            found.extend(methods.map(|method| (name.clone(), method.name().to_owned())));
        }
    }
    found.sort();
    found
}

/// A new RPC must get a line on purpose; until then nobody can call it, and this fails.
#[test]
fn g09_every_rpc_has_a_line_and_every_line_an_rpc() {
    let rpcs = rpcs();
    for (service, method) in &rpcs {
        let needs = needs_of(&format!("/{service}/{method}"));
        assert!(
            needs.is_some(),
            "{service}/{method} has no line in access/role.rs"
        );
    }
    let known: BTreeSet<_> = rpcs.into_iter().collect();
    for (service, methods) in ADMIN_SERVICES {
        for (method, _) in *methods {
            let rpc = (format!("penstock.admin.v1.{service}"), (*method).to_owned());
            assert!(known.contains(&rpc), "{rpc:?} is no RPC");
        }
    }
}

#[test]
fn g10_what_is_no_reading_is_audited() {
    for (service, methods) in ADMIN_SERVICES {
        for (method, rule) in *methods {
            let reads = [
                "Get",
                "List",
                "Show",
                "Summarize",
                "Plan",
                "Resolve",
                "Diff",
                "Find",
                "Search",
                "Tail",
                "Export",
                "Forecast",
                "ErrorTrends",
                "WhoAmI",
                "Diagnose",
                "Describe",
            ];
            let reads = reads.iter().any(|verb| method.starts_with(verb)) || *method == "TestErrorRule";
            assert_eq!(rule.audited, !reads, "{service}/{method}");
        }
    }
}

#[test]
fn g09_roles_are_in_order_but_for_the_role_user() {
    assert!(CHANGE.allows(Role::Operator) && CHANGE.allows(Role::Admin) && !CHANGE.allows(Role::Viewer));
    assert!(READ.allows(Role::Viewer) && !READ.allows(Role::User));
    assert!(CHANGE_OWN.allows(Role::User) && !CHANGE_OWN.allows(Role::Viewer));
    assert!(ADMIN.allows(Role::Admin) && !ADMIN.allows(Role::Operator));
}

#[test]
fn deny_is_the_default() {
    for path in [
        "",
        "/",
        "/penstock.new.v1.Service/Do",
        "/penstock.admin.v1.KeyService/Do",
        "/penstock.admin.v1.KeyService/GetKey/x",
        "/penstock.admin.v1.NewService/GetKey",
        "penstock.admin.v1.KeyService/GetKey",
        "/grpc.health.v2/Check",
    ] {
        assert_eq!(needs_of(path), None, "{path}");
    }
}

/// `just docs` writes it anew.
#[test]
fn g09_the_page_has_the_same_table() {
    let table = table();
    let (before, rest) = PAGE.split_once("<!-- roles -->\n").unwrap();
    let (held, after) = rest.split_once("<!-- end of roles -->").unwrap();
    if held != table && std::env::var_os("PENSTOCK_WRITE_DOCS").is_some() {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operators.md");
        let text = format!("{before}<!-- roles -->\n{table}<!-- end of roles -->{after}");
        std::fs::write(page, text).unwrap();
        return;
    }
    assert_eq!(held, table, "write it anew with: just docs");
}

fn table() -> String {
    let mut text =
        String::from("| RPC | user | viewer | operator | admin | audited |\n|---|---|---|---|---|---|\n");
    let reflection = (
        "grpc.reflection.v1.ServerReflection".to_owned(),
        "ServerReflectionInfo".to_owned(),
    );
    for (service, method) in rpcs().into_iter().chain([reflection]) {
        let Some(Needs::Operator(rule)) = needs_of(&format!("/{service}/{method}")) else {
            continue;
        };
        let cell = |role: Role| match (role, rule.allows(role), rule.audited) {
            (_, false, _) => "",
            (Role::User, true, true) => "own, self-service",
            (Role::User, true, false) => "own",
            (Role::Viewer | Role::Operator | Role::Admin, true, _) => "yes",
        };
        let short = service.rsplit('.').next().unwrap();
        write!(text, "| `{short}/{method}` |").unwrap();
        for role in Role::ALL {
            write!(text, " {} |", cell(role)).unwrap();
        }
        writeln!(text, " {} |", if rule.audited { "yes" } else { "" }).unwrap();
    }
    text.replace("|  |", "| |").replace("|  |", "| |")
}
