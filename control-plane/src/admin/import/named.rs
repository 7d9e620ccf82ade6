//! Everything that is found again by its name. What an item makes is known to those after it: else two of one name would be
//! two operations that expect the same absence, and the whole commit would fail.

use penstock_core::invalid::Invalid;
use penstock_core::price::PriceSource;
use penstock_core::resource::ResourceRef;
use penstock_core::secret::Secret;
use penstock_core::setting::ImportSuffix;
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;
use penstock_store::{CredentialChange, Expect, NewSpec, Put, StoredSpec};
use tonic::Status;

use super::known::{self, Known, KnownNamed, KnownProvider};
use super::{Outcome, Refused, compared};
use crate::admin::status::{self, required};
use crate::admin::{activation, error_rule, key, price, provider, request_filter, resets, word_rule};
use crate::clock;
use crate::context::Context;
use crate::credentials::Field;

pub(super) fn suffix(
    context: &Context,
    request: wire::CreateImportSuffixRequest,
    known: &mut Known,
) -> Result<Outcome, Refused> {
    let secret = Secret::new(request.secret);
    let suffix = ImportSuffix {
        secret: secret.clone(),
    };
    key::check_suffix(&request.name, &suffix).map_err(|error| status::invalid(&error))?;
    if let Some(present) = known.suffixes.get(&request.name) {
        return match present.as_ref() == Some(&secret) {
            true => Ok(Outcome::Unchanged),
            false => Err(Status::already_exists(
                "there is another suffix of this name; use another name",
            )),
        };
    }
    let reference = ResourceRef::ImportSuffix(request.name.as_str().into());
    let sealed = context.sealer.seal(&reference, Field::Suffix, &secret);
    let sealed = sealed.map_err(|error| Status::internal(format!("it cannot be sealed: {error}")))?;
    known.suffixes.insert(request.name, Some(secret));
    created(reference, NewSpec::ImportSuffix(sealed))
}

pub(super) fn user(request: wire::CreateUserRequest, known: &mut Known) -> Result<Outcome, Refused> {
    let user = convert::user_from_wire(required("spec", request.spec)?);
    let user = user.map_err(status::invalid_in("spec"))?;
    let user = User {
        limits: resets::none(&user.limits),
        access: activation::none(user.access),
        ..user
    };
    user.validate().map_err(status::invalid_in("spec"))?;
    if let Some((_, present)) = known.users.get(&user.name) {
        let access = activation::kept(user.access, &present.access, clock::now());
        let limits = resets::kept(&user.limits, &present.limits);
        return Ok(compared(&[
            ("access", access == present.access),
            ("limits", limits == present.limits),
        ]));
    }
    let id = known::user_id()?;
    known.users.insert(user.name.clone(), (id, user.clone()));
    created(ResourceRef::User(id), NewSpec::User(user))
}

pub(super) fn provider(
    context: &Context,
    request: wire::CreateProviderRequest,
    known: &mut Known,
) -> Result<Outcome, Refused> {
    let mut given = provider::read_spec(request.spec)?;
    given.limits = resets::none(&given.limits);
    let definition = provider::read_credential(request.credential, request.new_credential)?;
    let text = definition.as_ref().map(crate::credentials::Definition::to_text);
    if let Some(present) = known.providers.get(&given.name) {
        given.limits = resets::kept(&given.limits, &present.provider.limits);
        return Ok(compared(&[
            ("its settings", given == present.provider),
            ("its credential", text.is_none() || text == present.credential),
        ]));
    }
    let reference = ResourceRef::Provider(known::provider_id()?);
    let credential = provider::seal_credential(context, &reference, definition)?;
    let proxies = (None, given.outbound.proxy.as_ref());
    let proxy_password =
        provider::proxy_password(&context.sealer, &reference, proxies, request.proxy_password)?;
    let known_provider = KnownProvider {
        provider: given.clone(),
        credential: text,
    };
    known.providers.insert(given.name.clone(), known_provider);
    let spec = NewSpec::Provider {
        provider: Box::new(given),
        credential: or_none(credential),
        proxy_password: or_none(proxy_password),
    };
    created(reference, spec)
}

/// Of something new.
fn or_none(change: CredentialChange) -> CredentialChange {
    match change {
        CredentialChange::Set(sealed) => CredentialChange::Set(sealed),
        CredentialChange::Keep | CredentialChange::Clear => CredentialChange::Keep,
    }
}

/// In the place of a shipped price; other prices stay.
pub(super) fn price(request: wire::CreatePriceRequest, known: &mut Known) -> Result<Outcome, Refused> {
    let given = price::read_spec(&request.name, request.spec)?;
    let reference = ResourceRef::Price(request.name.into());
    let present = known.named.get(&reference);
    let expect = match present.map(|present| (&present.spec, present.version)) {
        Some((StoredSpec::Price(present), version)) if present.source == PriceSource::Shipped => {
            Expect::Version(version)
        }
        Some((StoredSpec::Price(present), _)) => {
            return Ok(compared(&[("its rates", **present == given)]));
        }
        Some(_) | None => Expect::Absent,
    };
    let spec = StoredSpec::Price(Box::new(given.clone()));
    known
        .named
        .insert(reference.clone(), KnownNamed { spec, version: 0 });
    let put = Put::new(reference, NewSpec::Price(Box::new(given))).expecting(expect);
    Ok(Outcome::Created(Box::new(put.into())))
}

pub(super) fn error_rule(
    request: wire::CreateErrorRuleRequest,
    known: &mut Known,
) -> Result<Outcome, Refused> {
    let rule = error_rule::read_spec(&request.name, request.spec)?;
    let reference = ResourceRef::ErrorRule(request.name.into());
    let stored = StoredSpec::ErrorRule(Box::new(rule.clone()));
    named(known, reference, stored, NewSpec::ErrorRule(Box::new(rule)))
}

pub(super) fn word_rule(request: wire::CreateWordRuleRequest, known: &mut Known) -> Result<Outcome, Refused> {
    let rule = word_rule::read_spec(&request.name, request.spec)?;
    let reference = ResourceRef::WordRule(request.name.into());
    let stored = StoredSpec::WordRule(Box::new(rule.clone()));
    named(known, reference, stored, NewSpec::WordRule(Box::new(rule)))
}

pub(super) fn request_filter(
    request: wire::CreateRequestFilterRequest,
    known: &mut Known,
) -> Result<Outcome, Refused> {
    let filter = request_filter::read_spec(&request.name, request.spec)?;
    let reference = ResourceRef::RequestFilter(request.name.into());
    let stored = StoredSpec::RequestFilter(Box::new(filter.clone()));
    named(known, reference, stored, NewSpec::RequestFilter(Box::new(filter)))
}

fn named(
    known: &mut Known,
    reference: ResourceRef,
    given: StoredSpec,
    spec: NewSpec,
) -> Result<Outcome, Refused> {
    if let Some(present) = known.named.get(&reference) {
        return Ok(compared(&[("what it says", present.spec == given)]));
    }
    let outcome = created(reference.clone(), spec)?;
    let made = KnownNamed {
        spec: given,
        version: 0,
    };
    known.named.insert(reference, made);
    Ok(outcome)
}

fn created(reference: ResourceRef, spec: NewSpec) -> Result<Outcome, Refused> {
    if reference.id().is_empty() {
        return Err(status::invalid(&Invalid::new("name", "is missing")));
    }
    let put = Put::new(reference, spec).expecting(Expect::Absent);
    Ok(Outcome::Created(Box::new(put.into())))
}
