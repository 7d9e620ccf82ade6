//! Taking over what another gateway had (behaviour A3): what is not there yet is made, in one revision.
//!
//! What is there stays as it is, so the same import can be made again, and no operator's later change is undone by it. A
//! resource is found again by its name, a key by its secret. What cannot be made is refused alone; the rest is made.
//!
//! Two of one name in one import: the first is made, and the second is unchanged where it says the same, else refused.

mod key;
mod known;
mod named;

use penstock_core::invalid::Invalid;
use penstock_core::resource::Kind;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::import_item::Resource;
use penstock_proto::admin::v1::import_resources_request::Part;
use penstock_proto::admin::v1::import_service_server::ImportService;
use penstock_proto::admin::v1::{ChangeInfo, ImportOutcome};
use penstock_store::{MAX_OPS, Op};
use tonic::{Request, Response, Status, Streaming};

use self::known::Known;
use super::author::Author;
use super::status;
use crate::context::Context;

pub(super) struct Imports(pub(super) Context);

/// What becomes of one item.
enum Outcome {
    Created(Box<Op>),
    Unchanged,
    /// It is there, and differs in this.
    Kept(String),
}

/// Why one item cannot be made.
type Refused = Status;

#[tonic::async_trait]
impl ImportService for Imports {
    async fn import_resources(
        &self,
        request: Request<Streaming<wire::ImportResourcesRequest>>,
    ) -> Result<Response<wire::ImportResourcesResponse>, Status> {
        let author = Author::of(&request);
        let mut stream = request.into_inner();
        let Some(Part::Begin(begin)) = stream.message().await?.and_then(|first| first.part) else {
            return Err(status::invalid(&Invalid::new("begin", "must come first")));
        };
        let mut known = Known::read(&self.0).await?;
        let (mut items, mut ops) = (Vec::new(), Vec::new());
        while let Some(message) = stream.message().await? {
            let Some(Part::Item(item)) = message.part else {
                return Err(status::invalid(&Invalid::new("part", "must be an item")));
            };
            if items.len() == MAX_OPS {
                let problem = format!("are more than {MAX_OPS}: import in several runs");
                return Err(status::invalid(&Invalid::new("items", problem)));
            }
            let (told, op) = self.take(*item, &mut known);
            items.push(told);
            ops.extend(op);
        }
        let revision = match begin.dry_run {
            true => {
                author.about("import", "dry run");
                author.because(begin.change)?;
                0
            }
            false => self.make(author, begin.change, ops).await?,
        };
        Ok(Response::new(wire::ImportResourcesResponse { items, revision }))
    }
}

impl Imports {
    async fn make(&self, author: Author, change: Option<ChangeInfo>, ops: Vec<Op>) -> Result<u64, Status> {
        if ops.is_empty() {
            return Ok(self.0.store.head().await.map_err(status::from_store)?.revision);
        }
        Ok(author.commit_all(&self.0, change, ops).await?.head.revision)
    }

    fn take(&self, item: wire::ImportItem, known: &mut Known) -> (wire::ImportedItem, Option<Op>) {
        let Some(resource) = item.resource else {
            let refused = Err(Status::invalid_argument(
                "holds no resource that this release knows",
            ));
            return told(item.source, "", String::new(), refused);
        };
        let (kind, name) = describe(&resource);
        let outcome = self.take_resource(resource, known);
        let outcome = outcome.and_then(|outcome| once(outcome, kind, &name, known));
        told(item.source, kind.as_str(), name, outcome)
    }

    fn take_resource(&self, resource: Resource, known: &mut Known) -> Result<Outcome, Refused> {
        match resource {
            Resource::ImportSuffix(request) => named::suffix(&self.0, request, known),
            Resource::User(request) => named::user(request, known),
            Resource::Key(request) => key::take(request, known),
            Resource::Provider(request) => named::provider(&self.0, *request, known),
            Resource::Price(request) => named::price(request, known),
            Resource::ErrorRule(request) => named::error_rule(request, known),
            Resource::WordRule(request) => named::word_rule(request, known),
            Resource::RequestFilter(request) => named::request_filter(request, known),
        }
    }
}

/// What this import itself made is not kept as something that was there before: another of its name cannot be made.
fn once(outcome: Outcome, kind: Kind, name: &str, known: &mut Known) -> Result<Outcome, Refused> {
    let named = (kind, name.to_owned());
    match outcome {
        Outcome::Kept(detail) if known.made.contains(&named) => Err(Status::already_exists(format!(
            "an earlier item of this import has its name, and {detail}"
        ))),
        Outcome::Created(op) => {
            known.made.insert(named);
            Ok(Outcome::Created(op))
        }
        outcome @ (Outcome::Kept(_) | Outcome::Unchanged) => Ok(outcome),
    }
}

/// Its kind, and its name as the answer tells it.
fn describe(resource: &Resource) -> (Kind, String) {
    match resource {
        Resource::ImportSuffix(request) => (Kind::ImportSuffix, request.name.clone()),
        Resource::User(request) => {
            let name = request.spec.as_ref().map(|spec| spec.name.clone());
            (Kind::User, name.unwrap_or_default())
        }
        Resource::Key(request) => {
            let name = request.spec.as_ref();
            let name = name.map(|spec| format!("{}/{}", spec.user_id, spec.name));
            (Kind::Key, name.unwrap_or_default())
        }
        Resource::Provider(request) => {
            let name = request.spec.as_ref().map(|spec| spec.name.clone());
            (Kind::Provider, name.unwrap_or_default())
        }
        Resource::Price(request) => (Kind::Price, request.name.clone()),
        Resource::ErrorRule(request) => (Kind::ErrorRule, request.name.clone()),
        Resource::WordRule(request) => (Kind::WordRule, request.name.clone()),
        Resource::RequestFilter(request) => (Kind::RequestFilter, request.name.clone()),
    }
}

fn told(
    source: String,
    kind: &str,
    name: String,
    outcome: Result<Outcome, Refused>,
) -> (wire::ImportedItem, Option<Op>) {
    let (outcome, detail, op) = match outcome {
        Ok(Outcome::Created(op)) => (ImportOutcome::Created, String::new(), Some(*op)),
        Ok(Outcome::Unchanged) => (ImportOutcome::Unchanged, String::new(), None),
        Ok(Outcome::Kept(detail)) => (ImportOutcome::Kept, detail, None),
        Err(refused) => (ImportOutcome::Refused, refused.message().to_owned(), None),
    };
    let item = wire::ImportedItem {
        source,
        kind: kind.to_owned(),
        name,
        outcome: outcome.into(),
        detail,
    };
    (item, op)
}

/// The same, or different in the fields that are named.
fn compared(differences: &[(&str, bool)]) -> Outcome {
    let differ = differences.iter().filter(|(_, same)| !same);
    let named: Vec<&str> = differ.map(|(field, _)| *field).collect();
    match named.is_empty() {
        true => Outcome::Unchanged,
        false => Outcome::Kept(format!("differs in {}", named.join(", "))),
    }
}
