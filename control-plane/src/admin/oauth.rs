//! Logins, refreshes by hand, and how providers' access tokens do.

mod client;
#[cfg(test)]
mod login_tests;
mod reply;
mod test;

pub(super) use client::{check as check_client, from_wire as client_from_wire};

use penstock_core::id::ProviderId;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::time::UnixMs;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::oauth_service_server::OauthService;
use penstock_store::{
    CredentialChange, Expect, Filter, NewSpec, Page, Put, Stored, StoredToken, TokenWritten,
};
use tonic::{Code, Request, Response, Status};

use super::author::Author;
use super::status;
use super::{breaker, names, page, provider};
use crate::context::Context;
use crate::credentials::{Definition, OauthClient, TokenSet};
use crate::tokens::{
    Fault, Grant, Granted, Login, LoginError, Outcome, Pasted, Subject, SubjectError, Why, exchange,
    give_back, login_lease, refresh, write,
};

/// So often another operator may be faster than a login.
const TRIES: usize = 10;

#[derive(Clone)]
pub(super) struct Oauth(pub(super) Context);

#[tonic::async_trait]
impl OauthService for Oauth {
    async fn start_oauth_login(
        &self,
        request: Request<wire::StartOauthLoginRequest>,
    ) -> Result<Response<wire::StartOauthLoginResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        author.about("provider", &request.provider);
        let found = names::provider(&*self.0.store, &request.provider).await?;
        author.about("provider", &found.value.provider.name);
        let present = self.present_client(&found.stored);
        let client = client::read(request.client, present.as_ref(), self.0.tokens.trusted())?;
        let begun = Login::begin(&self.0, found.id, author.name(), client).await;
        let (login, expires_at) = begun.map_err(|error| refused(&error))?;
        Ok(Response::new(wire::StartOauthLoginResponse {
            provider_id: found.id.to_string(),
            provider: found.value.provider.name,
            authorize_url: login.authorize_url(),
            expires_at_ms: expires_at.0,
        }))
    }

    async fn finish_oauth_login(
        &self,
        request: Request<wire::FinishOauthLoginRequest>,
    ) -> Result<Response<wire::FinishOauthLoginResponse>, Status> {
        let author = Author::of(&request);
        let request = request.into_inner();
        author.about("provider", &request.provider);
        let found = names::provider(&*self.0.store, &request.provider).await?;
        author.about("provider", &found.value.provider.name);
        let pasted = Pasted::read(&Secret::new(request.code)).map_err(|error| refused(&error))?;
        let login = Login::take(&self.0, found.id, author.name(), &pasted).await;
        let login = login.map_err(|error| refused(&error))?;
        // Also where there is nothing to commit.
        author.because(request.change.clone())?;
        let (this, id, change) = (self.clone(), found.id, request.change);
        let finishing = async move { this.finish(author, id, login, &pasted, change).await };
        let finished = self.0.tokens.to_its_end(finishing).await;
        finished.ok_or_else(cut_off)??;
        let status = self.status(found.id).await?;
        Ok(Response::new(wire::FinishOauthLoginResponse {
            status: Some(status),
        }))
    }

    async fn refresh_oauth_token(
        &self,
        request: Request<wire::RefreshOauthTokenRequest>,
    ) -> Result<Response<wire::RefreshOauthTokenResponse>, Status> {
        let author = Author::of(&request);
        let name = request.into_inner().provider;
        author.about("provider", &name);
        let found = names::provider(&*self.0.store, &name).await?;
        author.about("provider", &found.value.provider.name);
        let (context, id) = (self.0.clone(), found.id);
        let refreshing = async move { refresh(&context, id, Why::Operator).await };
        let refreshed = self.0.tokens.to_its_end(refreshing).await;
        let outcome = refreshed
            .ok_or_else(cut_off)?
            .map_err(|error| of_subject(&error))?;
        if outcome == Outcome::NothingToRefresh {
            return Err(Status::failed_precondition(NO_REFRESH_TOKEN));
        }
        Ok(Response::new(wire::RefreshOauthTokenResponse {
            refreshed: outcome == Outcome::Refreshed,
            status: Some(self.status(found.id).await?),
        }))
    }

    async fn test_oauth(
        &self,
        request: Request<wire::TestOauthRequest>,
    ) -> Result<Response<wire::TestOauthResponse>, Status> {
        let author = Author::of(&request);
        let name = request.into_inner().provider;
        author.about("provider", &name);
        let found = names::provider(&*self.0.store, &name).await?;
        author.about("provider", &found.value.provider.name);
        let row = self.0.store.token(found.id).await.map_err(status::from_store)?;
        Ok(Response::new(wire::TestOauthResponse {
            provider_id: found.id.to_string(),
            provider: found.value.provider.name.clone(),
            steps: test::steps(&self.0, &found.stored, row.as_ref()).await,
        }))
    }

    async fn list_oauth(
        &self,
        request: Request<wire::ListOauthRequest>,
    ) -> Result<Response<wire::ListOauthResponse>, Status> {
        let name = request.into_inner().provider;
        let providers = match name.is_empty() {
            true => self.all().await?,
            false => {
                let found = names::provider(&*self.0.store, &name).await?;
                vec![self.status(found.id).await?]
            }
        };
        Ok(Response::new(wire::ListOauthResponse { providers }))
    }
}

impl Oauth {
    /// Exchanges the code and makes the result the provider's credential.
    async fn finish(
        &self,
        author: Author,
        id: ProviderId,
        login: Login,
        pasted: &Pasted,
        change: Option<wire::ChangeInfo>,
    ) -> Result<(), Status> {
        let context = &self.0;
        let verifier = login.verifier.clone();
        let definition = Definition::Oauth(Box::new(login.client));
        let mut subject = self.subject_of(id, definition).await?;
        let grant = Grant::Code {
            code: &pasted.code,
            verifier: &verifier,
        };
        let granted = exchange(&context.tokens, &subject, grant).await;
        let granted = granted.map_err(|fault| exchange_refused(&subject.provider.name, &fault))?;
        // From here on there is a token, and a code that is used up: nothing that passes may lose it.
        let (fence, until) = login_lease(context, &subject).await.map_err(status::from_store)?;
        let kept = self
            .keep(author.clone(), &mut subject, change, (granted, fence, until))
            .await;
        give_back(context, id, fence).await;
        kept?;
        breaker::new_credential(context, id, &subject.provider.name, &author).await;
        Ok(())
    }

    /// Under the lease.
    async fn keep(
        &self,
        author: Author,
        subject: &mut Subject,
        change: Option<wire::ChangeInfo>,
        (granted, fence, until): (Granted, u64, UnixMs),
    ) -> Result<(), Status> {
        let (context, id) = (&self.0, subject.id);
        subject.credential_version = self.keep_client(author, id, subject, change).await?;
        let row = context.store.token(id).await.map_err(status::from_store)?;
        let tokens = TokenSet {
            access: granted.access.clone(),
            refresh: granted.refresh.clone(),
        };
        let replaces = row.map_or(0, |row| row.version);
        let written = write(context, subject, &tokens, &granted, (replaces, fence, until)).await;
        match written.map_err(|error| of_subject(&error))? {
            TokenWritten::Written(_) => Ok(()),
            TokenWritten::Overtaken => Err(Status::aborted(
                "another replica wrote a token in the middle of the login; log in again (penstock oauth start)",
            )),
            TokenWritten::NoProvider => Err(status::not_found("provider")),
        }
    }

    /// Makes the client the provider's credential, unless it is already, also when somebody else changes the provider just
    /// now. The credential's version.
    async fn keep_client(
        &self,
        author: Author,
        id: ProviderId,
        subject: &Subject,
        change: Option<wire::ChangeInfo>,
    ) -> Result<u64, Status> {
        let mut tries = 1;
        loop {
            match self.put_client(author.clone(), id, subject, change.clone()).await {
                Err(conflict) if conflict.code() == Code::Aborted && tries < TRIES => tries += 1,
                done => return done,
            }
        }
    }

    async fn put_client(
        &self,
        author: Author,
        id: ProviderId,
        subject: &Subject,
        change: Option<wire::ChangeInfo>,
    ) -> Result<u64, Status> {
        let (context, reference) = (&self.0, ResourceRef::Provider(id));
        let stored = context.store.get(&reference).await.map_err(status::from_store)?;
        let stored = stored.ok_or_else(|| status::not_found("provider"))?;
        if let Ok(present) = Subject::of(context, &stored)
            && present.definition == subject.definition
        {
            return Ok(present.credential_version);
        }
        let version = stored.version;
        let found = names::as_provider(stored).ok_or_else(|| status::not_found("provider"))?;
        let spec = NewSpec::Provider {
            provider: Box::new(found.value.provider),
            credential: provider::set_credential(context, &reference, &subject.definition)?,
            proxy_password: CredentialChange::Keep,
        };
        let put = Put::new(reference, spec).expecting(Expect::Version(version));
        let (stored, _) = author.commit(context, change, put).await?.into_stored()?;
        let credential = names::as_provider(stored).and_then(|found| found.value.credential);
        Ok(credential.map_or(0, |credential| credential.version))
    }

    /// The provider with a definition that it may not have yet.
    async fn subject_of(&self, id: ProviderId, definition: Definition) -> Result<Subject, Status> {
        let stored = self.0.store.get(&ResourceRef::Provider(id)).await;
        let stored = stored.map_err(status::from_store)?;
        let stored = stored.ok_or_else(|| status::not_found("provider"))?;
        Subject::with(&self.0, &stored, definition).map_err(|error| of_subject(&error))
    }

    fn present_client(&self, stored: &Stored) -> Option<OauthClient> {
        match Subject::of(&self.0, stored).ok()?.definition {
            Definition::Oauth(client) => Some(*client),
            Definition::ApiKey(_)
            | Definition::BearerToken(_)
            | Definition::AwsKeys(_)
            | Definition::ServiceAccount(_) => None,
        }
    }

    async fn status(&self, id: ProviderId) -> Result<wire::OauthStatus, Status> {
        let stored = self.0.store.get(&ResourceRef::Provider(id)).await;
        let stored = stored.map_err(status::from_store)?;
        let stored = stored.ok_or_else(|| status::not_found("provider"))?;
        let row = self.0.store.token(id).await.map_err(status::from_store)?;
        let none = || Status::failed_precondition(NOT_EXCHANGED);
        self.one(&stored, row.as_ref()).ok_or_else(none)
    }

    async fn all(&self) -> Result<Vec<wire::OauthStatus>, Status> {
        let rows = self.0.store.tokens().await.map_err(status::from_store)?;
        let (mut found, mut asked) = (Vec::new(), page::asked(None));
        loop {
            let listed = self.0.store.list(&Filter::Providers, &asked).await;
            let listed = listed.map_err(status::from_store)?;
            found.extend(listed.resources.iter().filter_map(|stored| {
                let row = rows
                    .iter()
                    .find(|row| ResourceRef::Provider(row.provider) == stored.reference);
                self.one(stored, row)
            }));
            match listed.next {
                Some(after) => {
                    asked = Page {
                        after: Some(after),
                        ..asked
                    }
                }
                None => return Ok(found),
            }
        }
    }

    fn one(&self, stored: &Stored, row: Option<&StoredToken>) -> Option<wire::OauthStatus> {
        let subject = Subject::of(&self.0, stored).ok()?;
        let tokens = subject.tokens(&self.0, row);
        let exchanged = subject.definition.is_exchanged();
        exchanged.then(|| reply::status(&subject, row, tokens.as_ref()))
    }
}

const NOT_EXCHANGED: &str = "no tokens are obtained for this provider: it has no credential, or one of another kind; log \
                             in with penstock oauth login, or give it a service account";

const NO_REFRESH_TOKEN: &str = "the login came without a refresh token, so there is nothing to refresh with; its access \
                                token serves until its end (penstock oauth status), then log in again: penstock oauth login";

fn cut_off() -> Status {
    Status::internal("it was cut off; see the log")
}

fn refused(error: &LoginError) -> Status {
    match error {
        LoginError::NoLogin | LoginError::OtherState | LoginError::Refused(_) => {
            Status::failed_precondition(error.to_string())
        }
        LoginError::NoCode => Status::invalid_argument(error.to_string()),
        LoginError::Random(_) | LoginError::Seal(_) => Status::internal(error.to_string()),
        LoginError::Store(_) => Status::unavailable("the database is not available; begin again"),
    }
}

fn of_subject(error: &SubjectError) -> Status {
    match error {
        SubjectError::NoProvider => Status::not_found(error.to_string()),
        SubjectError::NoCredential => Status::failed_precondition(NOT_EXCHANGED),
        SubjectError::Sealed(_) | SubjectError::Unknown(_) => Status::data_loss(error.to_string()),
        SubjectError::Seal(_) => Status::internal(error.to_string()),
        SubjectError::Store(_) => Status::unavailable("the database is not available; try again"),
    }
}

/// Everything that an operator needs; the log has it too.
fn exchange_refused(provider: &str, fault: &Fault) -> Status {
    tracing::warn!(
        target: "token_refresh",
        provider,
        step = "exchange",
        status = fault.status,
        error = fault.error,
        body = fault.body,
        proxy = fault.proxy,
        causes = fault.causes,
        "a login was not accepted"
    );
    let mut text = format!("the code was not exchanged: {}", fault.causes);
    for (name, value) in [("body", &fault.body), ("proxy", &fault.proxy)] {
        if !value.is_empty() {
            text.push_str(&format!("; {name}: {value}"));
        }
    }
    text.push_str("; a code is good for one use: begin again (penstock oauth start). ");
    text.push_str(fault.exchange_advice());
    Status::failed_precondition(text)
}
