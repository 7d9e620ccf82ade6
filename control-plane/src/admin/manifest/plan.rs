//! From manifests to operations.
//!
//! Users come first, so that keys of users that are declared beside them find their owners. Problems are collected, not
//! returned one by one: an operator mends all of them at once.

use std::collections::{BTreeMap, BTreeSet};

use penstock_core::api_key::KeyHash;
use penstock_core::id::UserId;
use penstock_core::invalid::Invalid;
use penstock_core::price::{Price, PriceSource};
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::secret::Secret;
use penstock_core::setting::{ImportSuffix, Setting};
use penstock_core::user::User;
use penstock_proto::admin::v1 as wire;
use penstock_proto::admin::v1::manifest::Spec;
use penstock_proto::admin::v1::{Manifest, ManifestProblem};
use penstock_proto::convert::{Declared, declared_from_wire, manifest_kind};
use penstock_store::{LoggedSpec, NewSpec, Stored, StoredSpec};
use tonic::Status;

use super::present::{Present, label};
use super::step::{Plan, Step};
use super::wanted::{Wanted, unchanged};
use super::{key, provider, prune};
use crate::admin::key::check_suffix;
use crate::admin::{activation, random, resets};
use crate::clock;
use crate::context::Context;
use crate::credentials::Field;

/// What manifests are read against.
pub(super) struct Planner<'a> {
    pub(super) context: &'a Context,
    pub(super) present: &'a Present,
    pub(super) replace_key_secrets: bool,
    /// Users that exist or are declared.
    pub(super) users: BTreeMap<String, UserId>,
    /// Import suffixes that are declared.
    pub(super) suffixes: BTreeSet<String>,
    /// Whose secret has which hash, of keys that exist and of those that are declared.
    pub(super) secrets: BTreeMap<KeyHash, String>,
    pub(super) warnings: Vec<String>,
}

/// Plans the whole request. Fails only when the request cannot be planned at all.
pub(super) fn make(
    context: &Context,
    present: &Present,
    request: &wire::ApplyManifestsRequest,
) -> Result<Plan, Status> {
    let mut planner = Planner {
        context,
        present,
        replace_key_secrets: request.replace_key_secrets,
        users: BTreeMap::new(),
        suffixes: BTreeSet::new(),
        secrets: key::secrets(present),
        warnings: Vec::new(),
    };
    planner.find_users(&request.manifests)?;
    let (mut plan, mut declared) = (Plan::default(), BTreeSet::new());
    for (i, manifest) in request.manifests.iter().enumerate() {
        let step = planner
            .once(manifest, &mut declared)
            .and_then(|kind| planner.step(kind, manifest));
        match step {
            Ok(step) => plan.steps.push(step),
            Err(invalid) => plan.problems.push(problem(u32::try_from(i).ok(), invalid)),
        }
    }
    prune::add(&mut plan, present, &declared, request)?;
    plan.warnings = planner.warnings;
    Ok(plan)
}

pub(super) fn problem(manifest: Option<u32>, invalid: Invalid) -> ManifestProblem {
    ManifestProblem {
        manifest,
        field: invalid.field,
        problem: invalid.problem,
    }
}

/// As [`Present`] knows it.
fn full_name(manifest: &Manifest) -> String {
    match &manifest.spec {
        Some(Spec::Key(key)) => format!("{}/{}", key.user, manifest.name),
        _ => manifest.name.clone(),
    }
}

impl Planner<'_> {
    /// The ids of all users that keys can belong to; a new one gets its id here.
    fn find_users(&mut self, manifests: &[Manifest]) -> Result<(), Status> {
        for manifest in manifests {
            match &manifest.spec {
                Some(Spec::User(_)) => {
                    let id = match self.present.user(&manifest.name) {
                        Some(id) => id,
                        None => {
                            let (ms, unique) = random::id_parts()?;
                            UserId::from_parts(ms, &unique)
                        }
                    };
                    self.users.insert(manifest.name.clone(), id);
                }
                Some(Spec::Key(key)) => {
                    let id = self.present.user(&key.user);
                    self.users.extend(id.map(|id| (key.user.clone(), id)));
                }
                Some(Spec::ImportSuffix(_)) => drop(self.suffixes.insert(manifest.name.clone())),
                _ => {}
            }
        }
        Ok(())
    }

    /// The manifest's kind. A resource is declared once.
    fn once(&self, manifest: &Manifest, declared: &mut BTreeSet<(Kind, String)>) -> Result<Kind, Invalid> {
        let kind = manifest_kind(manifest).ok_or_else(|| Invalid::new("spec", "is missing"))?;
        if declared.insert((kind, full_name(manifest))) {
            return Ok(kind);
        }
        Err(Invalid::new(
            "name",
            "is declared twice: leave one of the two out",
        ))
    }

    fn step(&mut self, kind: Kind, manifest: &Manifest) -> Result<Step, Invalid> {
        let name = full_name(manifest);
        let (label, present) = (label(kind, &name), self.present.get(kind, &name));
        let named = ResourceRef::parse(kind, &manifest.name);
        let wanted = match (declared_from_wire(manifest)?, &manifest.spec) {
            (Declared::Provider(wanted), Some(Spec::Provider(given))) => {
                provider::wanted(self, present, *wanted, given)?
            }
            (Declared::User(user), _) => self.user(present, user)?,
            (Declared::Key(wanted), Some(Spec::Key(given))) => {
                let wanted = key::wanted(self, present, *wanted, given)?;
                key::take(self, &name, &wanted)?;
                wanted
            }
            (Declared::ImportSuffix, Some(Spec::ImportSuffix(given))) => {
                let secret = Secret::new(given.secret.clone());
                self.suffix(named?, present, &manifest.name, ImportSuffix { secret })?
            }
            (Declared::Price(price), _) => {
                let price = keep_source(*price, present);
                plain(named?, NewSpec::Price(price.clone()), LoggedSpec::Price(price))
            }
            (Declared::Setting(setting), _) if Setting::is_run_time(setting.name()) => {
                let problem = "cannot be declared: see `penstock debug` and `penstock node drain`";
                return Err(Invalid::new("name", problem));
            }
            (Declared::Setting(setting), _) => {
                let default = || Setting::defaults().contains(&setting);
                if present.is_none() && default() {
                    return Ok(unchanged(label, named?, None));
                }
                plain(
                    named?,
                    NewSpec::Setting(setting.clone()),
                    LoggedSpec::Setting(setting),
                )
            }
            (Declared::ErrorRule(rule), _) => plain(
                named?,
                NewSpec::ErrorRule(rule.clone()),
                LoggedSpec::ErrorRule(rule),
            ),
            (Declared::WordRule(rule), _) => plain(
                named?,
                NewSpec::WordRule(rule.clone()),
                LoggedSpec::WordRule(rule),
            ),
            (Declared::RequestFilter(filter), _) => plain(
                named?,
                NewSpec::RequestFilter(filter.clone()),
                LoggedSpec::RequestFilter(filter),
            ),
            (Declared::Provider(_) | Declared::Key(_) | Declared::ImportSuffix, _) => {
                return Err(Invalid::new("spec", "is of another kind"));
            }
        };
        wanted.step(label, present)
    }

    fn user(&self, present: Option<&Stored>, user: User) -> Result<Wanted, Invalid> {
        let id = self.users.get(&user.name).copied();
        let reference = ResourceRef::User(id.ok_or_else(|| Invalid::new("name", "is not known"))?);
        let user = match present.map(|stored| &stored.spec) {
            Some(StoredSpec::User(present)) => User {
                limits: resets::kept(&user.limits, &present.limits),
                access: activation::kept(user.access, &present.access, clock::now()),
                ..user
            },
            _ => User {
                limits: resets::none(&user.limits),
                access: activation::none(user.access),
                ..user
            },
        };
        Ok(plain(
            reference,
            NewSpec::User(user.clone()),
            LoggedSpec::User(user),
        ))
    }

    fn suffix(
        &self,
        reference: ResourceRef,
        present: Option<&Stored>,
        name: &str,
        suffix: ImportSuffix,
    ) -> Result<Wanted, Invalid> {
        if let Some(StoredSpec::ImportSuffix(sealed)) = present.map(|stored| &stored.spec) {
            let known = self.context.sealer.unseal(&reference, Field::Suffix, sealed);
            let same = known.is_ok_and(|known| known == suffix.secret);
            if suffix.secret.is_empty() || same {
                let spec = NewSpec::ImportSuffix(sealed.clone());
                return Ok(Wanted::plain(reference, spec, LoggedSpec::ImportSuffix));
            }
        }
        check_suffix(name, &suffix)?;
        let sealed = self
            .context
            .sealer
            .seal(&reference, Field::Suffix, &suffix.secret);
        let sealed = sealed.map_err(|error| Invalid::new("secret", format!("cannot be sealed: {error}")))?;
        Ok(Wanted {
            new_secret: true,
            ..Wanted::plain(reference, NewSpec::ImportSuffix(sealed), LoggedSpec::ImportSuffix)
        })
    }
}

fn plain(reference: ResourceRef, spec: NewSpec, after: LoggedSpec) -> Wanted {
    Wanted::plain(reference, spec, after)
}

/// A price that says what it says already stays where it came from.
fn keep_source(price: Price, present: Option<&Stored>) -> Box<Price> {
    let as_shipped = |source: PriceSource| Price {
        source,
        ..price.clone()
    };
    match present.map(|stored| &stored.spec) {
        Some(StoredSpec::Price(known)) if as_shipped(known.source) == **known => known.clone(),
        _ => Box::new(price),
    }
}
