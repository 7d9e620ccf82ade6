//! Operators' accounts. A token is hashed as soon as it is made; it goes back once.
//!
//! After each change this replica reads the accounts anew before it answers, so that a revoked token is refused here at once.

use penstock_core::api_key::{self, KeyHash};
use penstock_core::id::OperatorId;
use penstock_core::key::PreviousSecret;
use penstock_core::operator::{Operator, TOKEN_PREFIX};
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::operator_service_server::OperatorService;
use penstock_proto::convert;
use penstock_proto::convert::enums::operator_role_to_wire;
use penstock_store::{Expect, OperatorPut, OperatorToken, StoredOperator};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::mask::Mask;
use super::provider::expect_or_any;
use super::status::{self, required};
use super::{labels, names, page, random, scope};
use crate::access::Actor;
use crate::clock;
use crate::context::Context;

pub(super) struct Operators(pub(super) Context);

#[tonic::async_trait]
impl OperatorService for Operators {
    async fn create_operator(
        &self,
        request: Request<wire::CreateOperatorRequest>,
    ) -> Result<Response<wire::CreateOperatorResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let operator = self.read_spec(request.spec).await?;
        author.about("operator", &operator.name);
        author.because(request.change)?;
        let (ms, unique) = random::id_parts()?;
        let (secret, token) = generate()?;
        let put = OperatorPut {
            id: OperatorId::from_parts(ms, &unique),
            operator,
            token,
            expect: Expect::Absent,
        };
        Ok(Response::new(wire::CreateOperatorResponse {
            operator: Some(self.put(&put).await?),
            // The one time that it is shown.
            token: secret.expose().to_owned(),
        }))
    }

    async fn get_operator(
        &self,
        request: Request<wire::GetOperatorRequest>,
    ) -> Result<Response<wire::GetOperatorResponse>, Status> {
        let found = self.find(&request.into_inner().operator).await?;
        Ok(Response::new(wire::GetOperatorResponse {
            operator: Some(self.reply(&found).await?),
        }))
    }

    async fn list_operators(
        &self,
        request: Request<wire::ListOperatorsRequest>,
    ) -> Result<Response<wire::ListOperatorsResponse>, Status> {
        let asked = page::asked(request.into_inner().page);
        let all = self.0.store.operators().await.map_err(status::from_store)?;
        let after = asked.after.unwrap_or_default();
        let prefix = asked.prefix.unwrap_or_default();
        let wanted = |name: &str| *name > *after && name.starts_with(&prefix);
        let mut rest = all
            .operators
            .iter()
            .filter(|stored| wanted(&stored.operator.name));
        let size = usize::try_from(asked.size).unwrap_or(usize::MAX);
        let mut operators = Vec::new();
        for stored in rest.by_ref().take(size) {
            operators.push(self.reply(stored).await?);
        }
        let last = operators.last().and_then(|operator| operator.spec.as_ref());
        let next_token = match (rest.next(), last) {
            (Some(_), Some(spec)) => spec.name.clone(),
            (None, _) | (_, None) => String::new(),
        };
        Ok(Response::new(wire::ListOperatorsResponse {
            operators,
            page: Some(wire::PageResponse { next_token }),
        }))
    }

    async fn update_operator(
        &self,
        request: Request<wire::UpdateOperatorRequest>,
    ) -> Result<Response<wire::UpdateOperatorResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        author.about("operator", &request.operator);
        author.because(request.change)?;
        let mask = Mask::of(request.update_mask);
        let found = self.find(&request.operator).await?;
        author.about("operator", &found.operator.name);
        let expect = mask.expect(request.expected_version, found.version)?;
        let current = convert::operator_to_wire(&found.operator);
        let spec = mask.spec("penstock.admin.v1.OperatorSpec", Some(current), request.spec)?;
        let operator = self.read_spec(Some(spec)).await?;
        let put = OperatorPut {
            id: found.id,
            operator,
            token: found.token,
            expect,
        };
        Ok(Response::new(wire::UpdateOperatorResponse {
            operator: Some(self.put(&put).await?),
        }))
    }

    async fn delete_operator(
        &self,
        request: Request<wire::DeleteOperatorRequest>,
    ) -> Result<Response<wire::DeleteOperatorResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        author.about("operator", &request.operator);
        author.because(request.change)?;
        let found = self.find(&request.operator).await?;
        author.about("operator", &found.operator.name);
        let expect = expect_or_any(request.expected_version);
        let deleted = self.0.store.delete_operator(found.id, expect).await;
        deleted.map_err(status::from_store)?;
        self.known_here().await;
        Ok(Response::new(wire::DeleteOperatorResponse {}))
    }

    async fn rotate_operator_token(
        &self,
        request: Request<wire::RotateOperatorTokenRequest>,
    ) -> Result<Response<wire::RotateOperatorTokenResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        author.about("operator", &request.operator);
        author.because(request.change)?;
        let found = self.find(&request.operator).await?;
        author.about("operator", &found.operator.name);
        let (secret, mut token) = generate()?;
        token.previous = (request.overlap_ms > 0).then(|| PreviousSecret {
            hash: found.token.hash,
            valid_until: clock::now().plus_ms(request.overlap_ms),
        });
        let put = OperatorPut {
            id: found.id,
            operator: found.operator,
            token,
            expect: Expect::Version(found.version),
        };
        Ok(Response::new(wire::RotateOperatorTokenResponse {
            operator: Some(self.put(&put).await?),
            // The one time that it is shown.
            token: secret.expose().to_owned(),
        }))
    }

    async fn who_am_i(
        &self,
        request: Request<wire::WhoAmIRequest>,
    ) -> Result<Response<wire::WhoAmIResponse>, Status> {
        let actor = request.extensions().get::<Actor>().cloned();
        let actor = actor.unwrap_or_else(Actor::admin);
        let user_name = match actor.user {
            Some(user) => names::user_name(&*self.0.store, user).await?,
            None => String::new(),
        };
        Ok(Response::new(wire::WhoAmIResponse {
            name: actor.name.to_string(),
            role: operator_role_to_wire(actor.role),
            operator_id: actor.operator.map(|id| id.to_string()).unwrap_or_default(),
            user_id: actor.user.map(|id| id.to_string()).unwrap_or_default(),
            user_name,
            self_service: scope::self_service(&*self.0.store).await?,
        }))
    }
}

impl Operators {
    /// By name or id.
    async fn find(&self, name: &str) -> Result<StoredOperator, Status> {
        let all = self.0.store.operators().await.map_err(status::from_store)?;
        let id = name.parse::<OperatorId>().ok();
        let is = |stored: &StoredOperator| match id {
            Some(id) => stored.id == id,
            None => stored.operator.name == name,
        };
        all.operators
            .into_iter()
            .find(is)
            .ok_or_else(|| status::not_found(&format!("operator {name:?}")))
    }

    async fn read_spec(&self, spec: Option<wire::OperatorSpec>) -> Result<Operator, Status> {
        let mut spec = required("spec", spec)?;
        if !spec.user.is_empty() {
            let user = names::user(&*self.0.store, &spec.user).await?;
            spec.user = user.id.to_string();
        }
        let operator = convert::operator_from_wire(spec).map_err(status::invalid_in("spec"))?;
        operator.validate().map_err(status::invalid_in("spec"))?;
        Ok(operator)
    }

    async fn put(&self, put: &OperatorPut) -> Result<wire::Operator, Status> {
        let stored = self.0.store.put_operator(put, clock::now()).await;
        let stored = stored.map_err(status::from_store)?;
        self.known_here().await;
        self.reply(&stored).await
    }

    /// The change is made; if it cannot be read now it is followed within a second.
    async fn known_here(&self) {
        if let Err(error) = self.0.operators.refresh().await {
            tracing::warn!(%error, "a changed operator is in force here a little later");
        }
    }

    async fn reply(&self, stored: &StoredOperator) -> Result<wire::Operator, Status> {
        let user_name = match stored.operator.user_id {
            None => String::new(),
            Some(id) => match labels::name(&self.0.index, &ResourceRef::User(id)) {
                Some(name) => name,
                None => names::user_name(&*self.0.store, id).await?,
            },
        };
        let now = clock::now();
        let previous = stored
            .token
            .previous
            .filter(|previous| now < previous.valid_until);
        Ok(wire::Operator {
            id: stored.id.to_string(),
            version: stored.version,
            spec: Some(convert::operator_to_wire(&stored.operator)),
            user_name,
            token_hint: stored.token.hint.clone(),
            previous_valid_until_ms: previous.map(|previous| previous.valid_until.0),
            last_used_at_ms: stored.last_used_at.map(|at| at.0),
            created_at_ms: stored.created_at.0,
            updated_at_ms: stored.updated_at.0,
        })
    }
}

fn generate() -> Result<(Secret, OperatorToken), Status> {
    let secret = api_key::generate(TOKEN_PREFIX, &random::bytes()?);
    let token = OperatorToken {
        // To hash it.
        hash: KeyHash::of(secret.expose()),
        hint: api_key::hint(&secret),
        previous: None,
    };
    Ok((secret, token))
}
