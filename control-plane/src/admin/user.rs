//! Users. Deleting one deletes its keys in the same revision; the store sees to it.

use penstock_core::id::UserId;
use penstock_core::resource::ResourceRef;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::user_service_server::UserService;
use penstock_proto::config::v1 as config;
use penstock_proto::convert;
use penstock_store::{Expect, Filter, NewSpec, Op, Put};
use tonic::{Request, Response, Status};

use super::author::Author;
use super::mask::Mask;
use super::provider::expect_or_any;
use super::refusals::Refusals;
use super::scope::Scope;
use super::status::{self, required};
use super::{activation, names, page, random, reply, resets};
use crate::clock;
use crate::context::Context;

pub(super) struct Users(pub(super) Context);

#[tonic::async_trait]
impl UserService for Users {
    async fn create_user(
        &self,
        request: Request<wire::CreateUserRequest>,
    ) -> Result<Response<wire::CreateUserResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mut user = read_spec(request.spec)?;
        user.limits = resets::none(&user.limits);
        user.access = activation::none(user.access);
        let (ms, unique) = random::id_parts()?;
        let reference = ResourceRef::User(UserId::from_parts(ms, &unique));
        let put = Put::new(reference, NewSpec::User(user)).expecting(Expect::Absent);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        let user = reply::user(stored, &self.refusals().await?)?;
        Ok(Response::new(wire::CreateUserResponse {
            user: Some(user),
            revision,
        }))
    }

    async fn get_user(
        &self,
        request: Request<wire::GetUserRequest>,
    ) -> Result<Response<wire::GetUserResponse>, Status> {
        let scope = Scope::of(&request);
        let found = scope.user(&*self.0.store, &request.into_inner().user).await?;
        let mut user = reply::user(found.stored, &self.refusals().await?)?;
        if scope.own().is_some() {
            // Names of nodes are not the user's business.
            user.refused_by.clear();
        }
        Ok(Response::new(wire::GetUserResponse { user: Some(user) }))
    }

    async fn list_users(
        &self,
        request: Request<wire::ListUsersRequest>,
    ) -> Result<Response<wire::ListUsersResponse>, Status> {
        let asked = page::asked(request.into_inner().page);
        let listed = self.0.store.list(&Filter::Users, &asked).await;
        let mut listed = listed.map_err(status::from_store)?;
        let next = page::next(&mut listed);
        let refusals = self.refusals().await?;
        let users = listed
            .resources
            .into_iter()
            .map(|stored| reply::user(stored, &refusals));
        Ok(Response::new(wire::ListUsersResponse {
            users: users.collect::<Result<_, _>>()?,
            page: Some(next),
        }))
    }

    async fn update_user(
        &self,
        request: Request<wire::UpdateUserRequest>,
    ) -> Result<Response<wire::UpdateUserResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let mask = Mask::of(request.update_mask);
        let found = names::user(&*self.0.store, &request.user).await?;
        let expect = mask.expect(request.expected_version, found.stored.version)?;
        let current = convert::user_to_wire(&found.value);
        let mut user = read_spec(Some(mask.spec(
            "penstock.config.v1.User",
            Some(current),
            request.spec,
        )?))?;
        user.limits = resets::kept(&user.limits, &found.value.limits);
        user.access = activation::kept(user.access, &found.value.access, clock::now());
        let put = Put::new(found.stored.reference, NewSpec::User(user)).expecting(expect);
        let (stored, revision) = author.commit(&self.0, request.change, put).await?.into_stored()?;
        let user = reply::user(stored, &self.refusals().await?)?;
        Ok(Response::new(wire::UpdateUserResponse {
            user: Some(user),
            revision,
        }))
    }

    async fn delete_user(
        &self,
        request: Request<wire::DeleteUserRequest>,
    ) -> Result<Response<wire::DeleteUserResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        let found = names::user(&*self.0.store, &request.user).await?;
        let op = Op::delete(found.stored.reference, expect_or_any(request.expected_version));
        let revision = author.commit(&self.0, request.change, op).await?.revision;
        Ok(Response::new(wire::DeleteUserResponse { revision }))
    }
}

impl Users {
    async fn refusals(&self) -> Result<Refusals, Status> {
        Refusals::read(&*self.0.store).await
    }
}

fn read_spec(spec: Option<config::User>) -> Result<User, Status> {
    let user = convert::user_from_wire(required("spec", spec)?).map_err(status::invalid_in("spec"))?;
    user.validate().map_err(status::invalid_in("spec"))?;
    Ok(user)
}
