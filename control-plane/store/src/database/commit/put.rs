//! Creating and replacing.

use penstock_core::invalid::Invalid;
use penstock_core::key::Key;
use penstock_core::resource::{Kind, ResourceRef};
use penstock_core::time::UnixMs;

use super::{Work, find, label, log};
use crate::api::commit::{Applied, CredentialChange, NewSpec, Put};
use crate::api::error::Error;
use crate::api::stored::{Credential, Sealed, Stored, StoredProvider, StoredSpec};
use crate::rows::{self, Existing};
use crate::sql::fault::Fault;
use crate::sql::query::sql;

impl Work {
    pub(super) async fn put(&mut self, put: &Put) -> Result<Applied, Fault> {
        check_kind(put)?;
        let existing = self.expected(&put.reference, put.expect, put.spec.name()).await?;
        let version = match &existing {
            Some(row) => row.version + 1,
            None => self.first_version(&put.reference).await?,
        };
        let old = existing.as_ref().and_then(|row| row.stored.as_ref().ok());
        let new = Stored {
            reference: put.reference.clone(),
            version,
            min_schema: put.min_schema,
            spec: new_spec(&put.spec, version, existing.as_ref())?,
            created_at: old.map_or_else(|| self.made_at(put), |old| old.created_at),
            updated_at: self.at,
        };
        if let Some(old) = old
            && old.spec == new.spec
            && old.min_schema == new.min_schema
        {
            return Ok(Applied {
                reference: put.reference.clone(),
                changed: false,
                stored: Some(old.clone()),
            });
        }
        self.write(&new, existing.as_ref()).await?;
        Ok(Applied {
            reference: put.reference.clone(),
            changed: true,
            stored: Some(new),
        })
    }

    /// Of something that is not there yet.
    fn made_at(&self, put: &Put) -> UnixMs {
        put.created_at.map_or(self.at, |at| UnixMs(at.get()))
    }

    async fn write(&mut self, new: &Stored, existing: Option<&Existing>) -> Result<(), Fault> {
        let old = existing.and_then(|row| row.stored.as_ref().ok());
        self.check_name(new, existing).await?;
        if let StoredSpec::Key(key) = &new.spec {
            self.check_key(key, old).await?;
        }
        let write = match existing {
            Some(_) => rows::update(new),
            None => rows::insert(new),
        };
        if self.tx.execute(write).await? == 0 {
            return Err(Fault::overtaken());
        }
        self.forget_owner(&new.reference);
        let label = self.label(new).await?;
        if let StoredSpec::Key(key) = &new.spec {
            self.put_hashes(new, key, old, &label).await?;
        }
        let before = match existing {
            Some(row) => Some(view_of(row)?),
            None => None,
        };
        let entry = log::Entry {
            reference: &new.reference,
            label,
            version: new.version,
            before,
            after: Some(log::view(new)?),
        };
        Ok(self.log(entry).await?)
    }

    /// The new name must be free. The database guards this too; here the answer has words.
    async fn check_name(&mut self, new: &Stored, existing: Option<&Existing>) -> Result<(), Fault> {
        let (query, name) = match &new.spec {
            StoredSpec::Provider(spec) => (
                sql("SELECT 1 FROM providers WHERE name = $1").bind(&spec.provider.name),
                &spec.provider.name,
            ),
            StoredSpec::User(user) => (
                sql("SELECT 1 FROM users WHERE name = $1").bind(&user.name),
                &user.name,
            ),
            StoredSpec::Key(key) => (
                sql("SELECT 1 FROM api_keys WHERE name = $1 AND user_id = $2")
                    .bind(&key.name)
                    .bind(key.user_id.0),
                &key.name,
            ),
            StoredSpec::Price(_)
            | StoredSpec::Setting(_)
            | StoredSpec::ImportSuffix(_)
            | StoredSpec::ErrorRule(_)
            | StoredSpec::WordRule(_)
            | StoredSpec::RequestFilter(_) => return Ok(()),
        };
        if existing.is_some_and(|row| row.name == *name) || !self.tx.exists(query).await? {
            return Ok(());
        }
        let label = self.label(new).await?;
        Err(Error::NameTaken { label }.into())
    }

    /// The key's owner and import suffix must exist, and the owner stays.
    async fn check_key(&mut self, key: &Key, old: Option<&Stored>) -> Result<(), Fault> {
        if let Some(StoredSpec::Key(old)) = old.map(|old| &old.spec)
            && old.user_id != key.user_id
        {
            let problem = "cannot be changed: make a new key for the other user";
            return Err(Invalid::new("user_id", problem).into());
        }
        if self.owner(key.user_id).await?.is_none() {
            let label = ResourceRef::User(key.user_id).to_string();
            return Err(Error::NotFound { label }.into());
        }
        let Some(suffix) = &key.import_suffix else {
            return Ok(());
        };
        let reference = ResourceRef::ImportSuffix(suffix.as_str().into());
        if find::existing(&mut self.tx, &reference).await?.is_none() {
            let label = label::plain(Kind::ImportSuffix, suffix);
            return Err(Error::NotFound { label }.into());
        }
        Ok(())
    }
}

impl NewSpec {
    fn kind(&self) -> Kind {
        match self {
            Self::Provider { .. } => Kind::Provider,
            Self::User(_) => Kind::User,
            Self::Key(_) => Kind::Key,
            Self::Price(_) => Kind::Price,
            Self::Setting(_) => Kind::Setting,
            Self::ImportSuffix(_) => Kind::ImportSuffix,
            Self::ErrorRule(_) => Kind::ErrorRule,
            Self::WordRule(_) => Kind::WordRule,
            Self::RequestFilter(_) => Kind::RequestFilter,
        }
    }

    /// None: the reference is the name.
    fn name(&self) -> Option<&str> {
        match self {
            Self::Provider { provider, .. } => Some(&provider.name),
            Self::User(user) => Some(&user.name),
            Self::Key(key) => Some(&key.name),
            Self::Price(_)
            | Self::Setting(_)
            | Self::ImportSuffix(_)
            | Self::ErrorRule(_)
            | Self::WordRule(_)
            | Self::RequestFilter(_) => None,
        }
    }
}

fn check_kind(put: &Put) -> Result<(), Invalid> {
    let name_fits = match (&put.spec, &put.reference) {
        (NewSpec::Setting(setting), ResourceRef::Setting(name)) => setting.name() == &**name,
        (NewSpec::ErrorRule(rule), ResourceRef::ErrorRule(name)) => rule.name == **name,
        (NewSpec::WordRule(rule), ResourceRef::WordRule(name)) => rule.name == **name,
        (NewSpec::RequestFilter(rule), ResourceRef::RequestFilter(name)) => rule.name == **name,
        (_, _) => true,
    };
    if put.spec.kind() == put.reference.kind() && name_fits {
        return Ok(());
    }
    let problem = format!("is of another kind than {}", put.reference);
    Err(Invalid::new("spec", problem))
}

fn new_spec(spec: &NewSpec, version: u64, existing: Option<&Existing>) -> Result<StoredSpec, Fault> {
    Ok(match spec {
        NewSpec::Provider {
            provider,
            credential,
            proxy_password,
        } => StoredSpec::Provider(Box::new(StoredProvider {
            provider: (**provider).clone(),
            credential: new_secret(credential, version, existing, |old| &old.credential)?,
            proxy_password: new_secret(proxy_password, version, existing, |old| &old.proxy_password)?,
            token: None,
        })),
        NewSpec::User(user) => StoredSpec::User(user.clone()),
        NewSpec::Key(key) => StoredSpec::Key(key.clone()),
        NewSpec::Price(price) => StoredSpec::Price(price.clone()),
        NewSpec::Setting(setting) => StoredSpec::Setting(setting.clone()),
        NewSpec::ImportSuffix(sealed) => StoredSpec::ImportSuffix(sealed.clone()),
        NewSpec::ErrorRule(rule) => StoredSpec::ErrorRule(rule.clone()),
        NewSpec::WordRule(rule) => StoredSpec::WordRule(rule.clone()),
        NewSpec::RequestFilter(rule) => StoredSpec::RequestFilter(rule.clone()),
    })
}

fn new_secret(
    change: &CredentialChange,
    version: u64,
    existing: Option<&Existing>,
    of: fn(&StoredProvider) -> &Option<Credential>,
) -> Result<Option<Credential>, Fault> {
    let set = |sealed: &Sealed| Credential {
        sealed: sealed.clone(),
        version,
    };
    match (change, existing.map(|row| &row.stored)) {
        (CredentialChange::Set(sealed), _) => Ok(Some(set(sealed))),
        (CredentialChange::Clear, _) | (CredentialChange::Keep, None) => Ok(None),
        (CredentialChange::Keep, Some(Ok(old))) => Ok(match &old.spec {
            StoredSpec::Provider(old) => of(old).clone(),
            StoredSpec::User(_)
            | StoredSpec::Key(_)
            | StoredSpec::Price(_)
            | StoredSpec::Setting(_)
            | StoredSpec::ImportSuffix(_)
            | StoredSpec::ErrorRule(_)
            | StoredSpec::WordRule(_)
            | StoredSpec::RequestFilter(_) => None,
        }),
        // Set or clear it to write over a damaged row.
        (CredentialChange::Keep, Some(Err(unreadable))) => Err(find::corrupt(unreadable.clone()).into()),
    }
}

/// A damaged row is logged as what is wrong with it.
pub(super) fn view_of(existing: &Existing) -> Result<serde_json::Value, Fault> {
    match &existing.stored {
        Ok(stored) => log::view(stored),
        Err(unreadable) => Ok(serde_json::json!({ "unreadable": unreadable.problem })),
    }
}
