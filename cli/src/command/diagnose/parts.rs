//! What is in a bundle, one file each. Each comes from one question, and one that fails takes no other with it.

use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use serde::Serialize;
use serde_json::{Value, json};
use tonic::Code;

use super::Bundle;
use crate::command::doctor;
use crate::failure::Failure;
use crate::manifest::write;
use crate::remote::Services;
use crate::target::Target;
use crate::view;

/// The newest failures.
const FAILURES: u32 = 50;
/// Revisions and audit entries.
const NEWEST: u32 = 50;

pub(super) async fn gather(services: &Services, target: &Target, offline: bool, bundle: &mut Bundle) {
    bundle.add("status.json", status(services, target).await);
    match replica(services).await {
        Ok((facts, metrics)) => {
            bundle.add("control-plane.json", Ok(facts));
            bundle.add("metrics.txt", Ok(metrics));
        }
        Err(failure) => bundle.add("control-plane.json", Err(failure)),
    }
    let doctor = doctor::diagnose(services, target, offline).await;
    bundle.add("doctor.json", doctor.and_then(|told| pretty(&told)));
    bundle.add("nodes.json", nodes(services).await);
    bundle.add("breakers.json", breakers(services).await);
    bundle.add("oauth.json", oauth(services).await);
    bundle.add("alerts.json", alerts(services).await);
    bundle.add("failures.json", failures(services).await);
    bundle.add("configuration.yaml", configuration(services).await);
    bundle.add("history.json", history(services).await);
    bundle.add("audit.json", audit(services).await);
}

async fn status(services: &Services, target: &Target) -> Result<String, Failure> {
    let answer = services.fleet().get_status(wire::GetStatusRequest {}).await?;
    pretty(&view::Status::read(answer.into_inner(), &target.server))
}

/// Facts, and metrics as they are.
async fn replica(services: &Services) -> Result<(String, String), Failure> {
    let answer = services
        .doctor()
        .describe_replica(wire::DescribeReplicaRequest {})
        .await?;
    let it = answer.into_inner();
    let facts = json!({
        "name": it.name, "version": it.version, "at_ms": it.at_ms, "uptime_ms": it.uptime_ms,
        "system": it.system, "cpus": it.cpus,
        "memory_kb": { "total": it.memory_total_kb, "available": it.memory_available_kb, "used": it.memory_used_kb },
        "database": it.database, "database_version": it.database_version, "database_bytes": it.database_bytes,
        "migration": it.migration,
    });
    Ok((pretty(&facts)?, it.metrics))
}

async fn nodes(services: &Services) -> Result<String, Failure> {
    let answer = services.fleet().list_nodes(wire::ListNodesRequest {}).await?;
    pretty(&view::Nodes::read(answer.into_inner()))
}

async fn breakers(services: &Services) -> Result<String, Failure> {
    let request = wire::ListBreakersRequest {
        provider: String::new(),
    };
    let answer = services.breakers().list_breakers(request).await?;
    pretty(&view::Breakers::read(answer.into_inner().breakers))
}

async fn oauth(services: &Services) -> Result<String, Failure> {
    let answer = services
        .oauth()
        .list_oauth(wire::ListOauthRequest::default())
        .await?;
    let read = answer
        .into_inner()
        .providers
        .into_iter()
        .map(view::OauthStatus::read);
    pretty(&view::List {
        items: read.collect::<Vec<_>>(),
    })
}

async fn alerts(services: &Services) -> Result<String, Failure> {
    let answer = services
        .notifications()
        .list_alerts(wire::ListAlertsRequest {})
        .await?;
    let items = answer.into_inner().alerts.into_iter().map(view::Alert::read);
    pretty(&view::List {
        items: items.collect(),
    })
}

/// Whole records, as the failure log has them: masked when they were made.
async fn failures(services: &Services) -> Result<String, Failure> {
    let filter = wire::CallFilter {
        failed: true,
        ..wire::CallFilter::default()
    };
    let request = wire::SearchCallsRequest {
        filter: Some(filter),
        page_size: FAILURES,
        page_token: String::new(),
    };
    let calls = services.logs().search_calls(request).await?.into_inner().calls;
    let mut records = Vec::new();
    for call in calls {
        let request = wire::GetFailureRequest {
            request_id: call.request_id.clone(),
        };
        let found = match services.logs().get_failure(request).await {
            Ok(found) => found.into_inner().records,
            // The call failed, and its record is gone or never came.
            Err(status) if status.code() == Code::NotFound => Vec::new(),
            Err(status) => return Err(status.into()),
        };
        let found = found
            .iter()
            .filter_map(|record| serde_json::from_str::<Value>(record).ok());
        records.push(json!({
            "call": view::LoggedCall::from(call),
            "records": found.collect::<Vec<_>>(),
        }));
    }
    pretty(&json!({ "items": records }))
}

async fn configuration(services: &Services) -> Result<String, Failure> {
    let request = wire::ExportManifestsRequest::default();
    let answer = services.manifests().export_manifests(request).await?.into_inner();
    let named = answer
        .manifests
        .iter()
        .filter(|manifest| convert::manifest_kind(manifest).is_some());
    let documents: Vec<String> = named.map(write::document).collect::<Result<_, _>>()?;
    Ok(documents.join("---\n"))
}

async fn history(services: &Services) -> Result<String, Failure> {
    let request = wire::ListRevisionsRequest {
        limit: NEWEST,
        ..wire::ListRevisionsRequest::default()
    };
    let answer = services
        .configuration()
        .list_revisions(request)
        .await?
        .into_inner();
    // Who changed what and why; the values are in the configuration.
    let items: Vec<Value> = answer
        .revisions
        .into_iter()
        .map(|revision| {
            let changed: Vec<_> = revision
                .changes
                .iter()
                .map(|change| change.label.clone())
                .collect();
            json!({
                "revision": revision.revision, "at_ms": revision.at_ms, "actor": revision.actor,
                "reason": revision.reason, "changed": changed,
            })
        })
        .collect();
    pretty(&json!({ "head": answer.head, "items": items }))
}

async fn audit(services: &Services) -> Result<String, Failure> {
    let request = wire::ListAuditEntriesRequest {
        limit: NEWEST,
        ..wire::ListAuditEntriesRequest::default()
    };
    let answer = services.audit().list_audit_entries(request).await?;
    let items = answer
        .into_inner()
        .entries
        .into_iter()
        .map(view::AuditEntry::read);
    pretty(&view::List {
        items: items.collect::<Vec<_>>(),
    })
}

fn pretty(value: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string_pretty(value).map_err(Failure::other)
}
