//! A store in memory that can go away, be restored from a backup and damage rows. For tests only.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use penstock_core::api_key::KeyHash;
use penstock_core::id::{Epoch, KeyId, ProviderId, RequestId};
use penstock_core::money::NanoUsd;
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::*;
use tokio::sync::watch;
use uuid::Uuid;

use super::fake_accounts::FakeAccounts;

pub(crate) struct FakeStore {
    inner: Mutex<Inner>,
    notify: watch::Sender<u64>,
}

#[derive(Clone)]
pub(super) struct Inner {
    head: Head,
    rows: BTreeMap<ResourceRef, Row>,
    away: bool,
    /// So many commits meet somebody who was faster.
    conflicts: u32,
    bad_state: Option<ProviderId>,
    silent: bool,
    checks: Vec<Sealed>,
    usage: BTreeSet<RequestId>,
    failures: Vec<penstock_store::FailedCallRow>,
    poison: BTreeSet<RequestId>,
    nodes: BTreeMap<String, NodeRow>,
    others_live: u32,
    marks: BTreeMap<Uuid, u64>,
    commands: BTreeMap<Uuid, Posted>,
    states: BTreeMap<ProviderId, FleetState>,
    tokens: BTreeMap<ProviderId, StoredToken>,
    leases: BTreeMap<ProviderId, (u64, UnixMs)>,
    logins: BTreeMap<(ProviderId, String), OauthLogin>,
    /// Of the lease on alerts: whoever asks has it with this fence. None: nobody has.
    pub(super) fence: Option<u64>,
    pub(super) accounts: FakeAccounts,
}

#[derive(Clone)]
struct Posted {
    request: Vec<u8>,
    taken: bool,
    answer: Option<NodeAnswer>,
}

#[derive(Clone)]
struct Row {
    revision: u64,
    version: u64,
    stored: Option<Stored>,
    unreadable: bool,
}

pub(crate) fn epoch(n: u128) -> Epoch {
    Epoch(Uuid::from_u128(n))
}

impl FakeStore {
    pub(crate) fn new() -> Arc<Self> {
        let inner = Inner {
            head: Head {
                epoch: epoch(1),
                revision: 0,
            },
            rows: BTreeMap::new(),
            away: false,
            conflicts: 0,
            bad_state: None,
            silent: false,
            checks: Vec::new(),
            usage: BTreeSet::new(),
            failures: Vec::new(),
            poison: BTreeSet::new(),
            nodes: BTreeMap::new(),
            others_live: 0,
            marks: BTreeMap::new(),
            commands: BTreeMap::new(),
            states: BTreeMap::new(),
            tokens: BTreeMap::new(),
            leases: BTreeMap::new(),
            logins: BTreeMap::new(),
            fence: None,
            accounts: FakeAccounts::default(),
        };
        Arc::new(Self {
            inner: Mutex::new(inner),
            notify: watch::Sender::new(0),
        })
    }

    /// The database goes away or comes back.
    pub(crate) fn set_away(&self, away: bool) {
        self.lock().away = away;
    }

    /// Somebody is faster than the next commits.
    pub(crate) fn be_faster(&self, commits: u32) {
        self.lock().conflicts = commits;
    }

    /// The database does not take this provider's state.
    pub(crate) fn refuse_state(&self, of: Option<ProviderId>) {
        self.lock().bad_state = of;
    }

    /// Notifications are lost from now on.
    pub(crate) fn lose_notifications(&self) {
        self.lock().silent = true;
    }

    /// As a backup: what [`FakeStore::restore`] takes.
    pub(crate) fn backup(&self) -> impl FnOnce(&Self) + use<> {
        let copy = self.lock().clone();
        move |store| *store.lock() = copy
    }

    /// The row cannot be read from now on.
    pub(crate) fn damage(&self, reference: &ResourceRef) {
        let mut inner = self.lock();
        inner.head.revision += 1;
        let revision = inner.head.revision;
        let row = inner.rows.get_mut(reference).unwrap();
        row.unreadable = true;
        row.revision = revision;
    }

    /// This record can never be stored.
    pub(crate) fn refuse_record(&self, id: RequestId) {
        self.lock().poison.insert(id);
    }

    /// Other replicas have nodes.
    pub(crate) fn set_others_live(&self, nodes: u32) {
        self.lock().others_live = nodes;
    }

    pub(crate) fn records(&self) -> usize {
        self.lock().usage.len()
    }

    pub(crate) fn node(&self, id: &str) -> Option<NodeRow> {
        self.lock().nodes.get(id).cloned()
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap()
    }

    pub(super) fn here(&self) -> Result<MutexGuard<'_, Inner>, Error> {
        let inner = self.lock();
        match inner.away {
            false => Ok(inner),
            true => Err(Error::Unavailable {
                source: std::io::Error::other("away").into(),
            }),
        }
    }
}

impl Row {
    fn current(&self, reference: &ResourceRef) -> Current {
        match (&self.stored, self.unreadable) {
            (_, true) => Current::Unreadable(Unreadable {
                reference: reference.clone(),
                problem: "damaged".to_owned(),
            }),
            (Some(stored), false) => Current::Put(stored.clone()),
            (None, false) => Current::Removed(reference.clone()),
        }
    }
}

impl Inner {
    fn check(&self, reference: &ResourceRef, expect: Expect) -> Result<u64, Error> {
        let row = self.rows.get(reference);
        let actual = row.filter(|row| row.stored.is_some()).map(|row| row.version);
        let expected = match expect {
            Expect::Any => actual,
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        match expected == actual {
            true => Ok(row.map_or(0, |row| row.version) + 1),
            false => Err(Error::Conflict {
                label: reference.to_string(),
                expected,
                actual,
                changed_by: None,
                changed_at: None,
            }),
        }
    }

    fn put(&self, put: Put, at: UnixMs) -> Result<(ResourceRef, Row), Error> {
        let version = self.check(&put.reference, put.expect)?;
        let old = self.rows.get(&put.reference).and_then(|row| row.stored.clone());
        let spec = match put.spec {
            NewSpec::Provider {
                provider,
                credential,
                proxy_password,
            } => {
                let kept = match old.map(|old| old.spec) {
                    Some(StoredSpec::Provider(old)) => (old.credential, old.proxy_password),
                    _ => (None, None),
                };
                let changed = |change, kept| match change {
                    CredentialChange::Keep => kept,
                    CredentialChange::Clear => None,
                    CredentialChange::Set(sealed) => Some(Credential { sealed, version }),
                };
                StoredSpec::Provider(Box::new(StoredProvider {
                    provider: *provider,
                    credential: changed(credential, kept.0),
                    proxy_password: changed(proxy_password, kept.1),
                    token: None,
                }))
            }
            NewSpec::User(user) => StoredSpec::User(user),
            NewSpec::Key(key) => StoredSpec::Key(key),
            NewSpec::Price(price) => StoredSpec::Price(price),
            NewSpec::Setting(setting) => StoredSpec::Setting(setting),
            NewSpec::ImportSuffix(sealed) => StoredSpec::ImportSuffix(sealed),
            NewSpec::ErrorRule(rule) => StoredSpec::ErrorRule(rule),
            NewSpec::WordRule(rule) => StoredSpec::WordRule(rule),
            NewSpec::RequestFilter(rule) => StoredSpec::RequestFilter(rule),
        };
        let stored = Stored {
            reference: put.reference.clone(),
            version,
            min_schema: put.min_schema,
            spec,
            created_at: at,
            updated_at: at,
        };
        let revision = self.head.revision + 1;
        Ok((
            put.reference,
            Row {
                revision,
                version,
                stored: Some(stored),
                unreadable: false,
            },
        ))
    }
}

#[async_trait]
impl Store for FakeStore {
    fn backend(&self) -> Backend {
        Backend::Sqlite
    }

    async fn ping(&self) -> Result<(), Error> {
        self.here().map(drop)
    }

    async fn head(&self) -> Result<Head, Error> {
        Ok(self.here()?.head)
    }

    async fn load(&self) -> Result<Loaded, Error> {
        let inner = self.here()?;
        let mut loaded = Loaded {
            head: inner.head,
            resources: Vec::new(),
            unreadable: Vec::new(),
        };
        for (reference, row) in &inner.rows {
            match row.current(reference) {
                Current::Put(stored) => loaded.resources.push(stored),
                Current::Unreadable(row) => loaded.unreadable.push(row),
                Current::Removed(_) => {}
            }
        }
        Ok(loaded)
    }

    async fn changes_since(&self, revision: u64) -> Result<Changes, Error> {
        let inner = self.here()?;
        let rows = inner.rows.iter().filter(|(_, row)| row.revision > revision);
        let mut changed: Vec<_> = rows
            .map(|(reference, row)| Changed {
                revision: row.revision,
                current: row.current(reference),
            })
            .collect();
        changed.sort_by_key(|changed| changed.revision);
        Ok(Changes {
            head: inner.head,
            changed,
        })
    }

    fn notifications(&self) -> watch::Receiver<u64> {
        self.notify.subscribe()
    }

    async fn get(&self, reference: &ResourceRef) -> Result<Option<Stored>, Error> {
        Ok(self
            .here()?
            .rows
            .get(reference)
            .and_then(|row| row.stored.clone()))
    }

    async fn find(&self, lookup: Lookup<'_>) -> Result<Vec<Stored>, Error> {
        let inner = self.here()?;
        let stored = inner.rows.values().filter_map(|row| row.stored.clone());
        let wanted = stored.filter(|stored| match (&stored.spec, &lookup) {
            (StoredSpec::User(user), Lookup::User { name }) => user.name == *name,
            (StoredSpec::Provider(spec), Lookup::Provider { name }) => spec.provider.name == *name,
            (StoredSpec::Key(key), Lookup::Key { name }) => key.name == *name,
            _ => false,
        });
        Ok(wanted.collect())
    }

    async fn list(&self, filter: &Filter, _: &Page) -> Result<Listed, Error> {
        assert!(
            matches!(
                filter,
                Filter::Prices {
                    contains: None,
                    source: None
                }
            ),
            "not faked"
        );
        let inner = self.here()?;
        let stored = inner.rows.values().filter_map(|row| row.stored.clone());
        let resources = stored
            .filter(|stored| matches!(stored.spec, StoredSpec::Price(_)))
            .collect();
        Ok(Listed {
            resources,
            unreadable: Vec::new(),
            next: None,
        })
    }

    async fn commit(&self, commit: Commit) -> Result<Committed, Error> {
        // Another task may come between the reading and the commit, as with a real database.
        tokio::task::yield_now().await;
        let mut inner = self.here()?;
        if inner.conflicts > 0 {
            inner.conflicts -= 1;
            return Err(Error::Conflict {
                label: "it".to_owned(),
                expected: Some(1),
                actual: Some(2),
                changed_by: None,
                changed_at: None,
            });
        }
        let mut rows = Vec::new();
        for op in commit.ops {
            rows.push(match op {
                Op::Put(put) => inner.put(put, commit.at)?,
                Op::Delete { reference, expect } => {
                    let version = inner.check(&reference, expect)?;
                    let revision = inner.head.revision + 1;
                    (
                        reference,
                        Row {
                            revision,
                            version,
                            stored: None,
                            unreadable: false,
                        },
                    )
                }
            });
        }
        let applied = rows.iter().map(|(reference, row): &(ResourceRef, Row)| Applied {
            reference: reference.clone(),
            changed: true,
            stored: row.stored.clone(),
        });
        let applied = applied.collect();
        inner.rows.extend(rows);
        inner.head.revision += 1;
        let (head, silent) = (inner.head, inner.silent);
        drop(inner);
        if !silent {
            self.notify.send_modify(|n| *n += 1);
        }
        Ok(Committed {
            head,
            made_revision: true,
            applied,
        })
    }

    async fn begin_epoch(&self, replacing: Epoch, _: &str, _: &str, _: UnixMs) -> Result<Head, Error> {
        let mut inner = self.here()?;
        if inner.head.epoch == replacing {
            inner.head = Head {
                epoch: epoch(replacing.0.as_u128() + 1),
                revision: inner.head.revision + 1,
            };
        }
        Ok(inner.head)
    }

    async fn revisions(&self, _: &RevisionFilter, _: u32, _: u32) -> Result<Vec<Revision>, Error> {
        panic!("not faked")
    }

    async fn revision(&self, _: u64) -> Result<Option<Revision>, Error> {
        panic!("not faked")
    }

    async fn differences(&self, _: u64, _: u64) -> Result<Differences, Error> {
        panic!("not faked")
    }

    async fn deleted_key_hash(&self, _: KeyId) -> Result<Option<KeyHash>, Error> {
        panic!("not faked")
    }

    async fn master_key_checks(&self) -> Result<Vec<Sealed>, Error> {
        Ok(self.here()?.checks.clone())
    }

    async fn add_master_key_check(&self, check: &Sealed, _: UnixMs) -> Result<(), Error> {
        self.here()?.checks.push(check.clone());
        Ok(())
    }

    async fn ingest_usage(&self, records: &[UsageRecord], delivered: Delivered) -> Result<Ingested, Error> {
        let mut inner = self.here()?;
        let mark = inner.marks.entry(delivered.spool).or_default();
        *mark = delivered.through.max(*mark);
        let mut ingested = Ingested::default();
        for record in records {
            match inner.poison.contains(&record.id) {
                true => ingested.refused.push((record.id, "too large".to_owned())),
                false => ingested.fresh += u64::from(inner.usage.insert(record.id)),
            }
        }
        Ok(ingested)
    }

    /// Each subject spent 7 since each instant, all of it in one minute.
    async fn baseline(&self, questions: &[BaselineQuestion]) -> Result<Baseline, Error> {
        let inner = self.here()?;
        let spend = |span: &SpendSpan| Spend {
            total: NanoUsd(7),
            minutes: match span.by_minute {
                true => vec![MinuteSpend {
                    minute: span.from,
                    spent: NanoUsd(7),
                }],
                false => Vec::new(),
            },
        };
        let marks = inner.marks.iter();
        Ok(Baseline {
            answers: questions
                .iter()
                .map(|question| question.spans.iter().map(spend).collect())
                .collect(),
            marks: marks
                .map(|(spool, through)| SpoolMark {
                    spool: *spool,
                    through: *through,
                })
                .collect(),
        })
    }

    async fn fold_spend(&self, _: UnixMs) -> Result<u64, Error> {
        self.here().map(|_| 0)
    }

    async fn recharge(
        &self,
        _: &[penstock_store::Recharge],
        _: &penstock_store::PriceBackfill,
    ) -> Result<u64, Error> {
        panic!("not faked")
    }

    async fn price_backfills(&self, _: u32) -> Result<Vec<penstock_store::PriceBackfill>, Error> {
        panic!("not faked")
    }

    async fn ingest_failures(&self, records: &[penstock_store::FailedCallRow]) -> Result<u64, Error> {
        let mut state = self.here()?;
        state.failures.extend_from_slice(records);
        Ok(u64::try_from(records.len()).unwrap())
    }

    async fn failures(&self, _: RequestId) -> Result<Vec<penstock_store::FailedCallRow>, Error> {
        panic!("not faked")
    }

    async fn search_calls(
        &self,
        filter: &penstock_store::LogFilter,
        limit: u32,
        before: Option<RequestId>,
    ) -> Result<penstock_store::LogPage, Error> {
        let state = self.here()?;
        Ok(super::fake_ledger::page(&state.failures, filter, limit, before))
    }

    async fn prepare_ledger(&self, _: UnixMs) -> Result<(), Error> {
        self.here().map(drop)
    }

    async fn put_node(&self, node: &NodeRow) -> Result<(), Error> {
        self.here()?.nodes.insert(node.id.clone(), node.clone());
        Ok(())
    }

    async fn put_node_health(&self, id: &str, health: &serde_json::Value, _: UnixMs) -> Result<(), Error> {
        if let Some(node) = self.here()?.nodes.get_mut(id) {
            node.health = Some(health.clone());
        }
        Ok(())
    }

    async fn node_disconnected(
        &self,
        id: &str,
        at_replica: &str,
        since: UnixMs,
        _: UnixMs,
    ) -> Result<(), Error> {
        if let Some(node) = self.here()?.nodes.get_mut(id)
            && node.control_plane == at_replica
            && node.connected_since <= since
        {
            node.connected = false;
        }
        Ok(())
    }

    async fn nodes(&self, since: UnixMs) -> Result<Vec<NodeRow>, Error> {
        Ok(self
            .here()?
            .nodes
            .values()
            .filter(|node| node.last_seen >= since)
            .cloned()
            .collect())
    }

    async fn live_nodes(&self, since: UnixMs) -> Result<u32, Error> {
        let inner = self.here()?;
        let live = inner
            .nodes
            .values()
            .filter(|node| node.connected && node.last_seen >= since)
            .count();
        Ok(u32::try_from(live).unwrap() + inner.others_live)
    }

    async fn post_command(&self, id: Uuid, request: &[u8], _: UnixMs) -> Result<bool, Error> {
        let request = request.to_vec();
        self.here()?.commands.insert(
            id,
            Posted {
                request,
                taken: false,
                answer: None,
            },
        );
        self.notify.send_modify(|n| *n += 1);
        Ok(true)
    }

    async fn take_commands(&self, _: &str, limit: u32, _: UnixMs) -> Result<Vec<NodeCommand>, Error> {
        let mut inner = self.here()?;
        let waiting = inner.commands.iter_mut().filter(|(_, posted)| !posted.taken);
        let taken = waiting.take(usize::try_from(limit).unwrap()).map(|(id, posted)| {
            posted.taken = true;
            NodeCommand {
                id: *id,
                request: posted.request.clone(),
            }
        });
        Ok(taken.collect())
    }

    async fn answer_command(&self, id: Uuid, answer: &NodeAnswer) -> Result<(), Error> {
        self.here()?.commands.get_mut(&id).unwrap().answer = Some(answer.clone());
        self.notify.send_modify(|n| *n += 1);
        Ok(())
    }

    async fn command_answer(&self, id: Uuid) -> Result<Option<NodeAnswer>, Error> {
        Ok(self
            .here()?
            .commands
            .get(&id)
            .and_then(|posted| posted.answer.clone()))
    }

    async fn fleet_states(&self, known: &BTreeMap<ProviderId, u64>) -> Result<Vec<FleetState>, Error> {
        let inner = self.here()?;
        let news = inner.states.values();
        Ok(news
            .filter(|row| known.get(&row.provider) != Some(&row.version))
            .cloned()
            .collect())
    }

    async fn put_fleet_state(
        &self,
        state: &FleetState,
        _: Option<&FleetAction>,
        _: UnixMs,
    ) -> Result<FleetPut, Error> {
        let mut inner = self.here()?;
        if inner.bad_state == Some(state.provider) {
            let source = std::io::Error::other("unsupported Unicode escape sequence").into();
            return Err(Error::Unavailable { source });
        }
        let provider = ResourceRef::Provider(state.provider);
        if inner.rows.get(&provider).is_none_or(|row| row.stored.is_none()) {
            return Ok(FleetPut::NoProvider);
        }
        if inner.states.get(&state.provider).map_or(0, |row| row.version) != state.version {
            return Ok(FleetPut::Overtaken);
        }
        let mut row = state.clone();
        row.version += 1;
        let version = row.version;
        inner.states.insert(row.provider, row);
        drop(inner);
        self.notify.send_modify(|n| *n += 1);
        Ok(FleetPut::Written(version))
    }

    async fn tokens(&self) -> Result<Vec<StoredToken>, Error> {
        Ok(self.here()?.tokens.values().cloned().collect())
    }

    async fn token(&self, provider: ProviderId) -> Result<Option<StoredToken>, Error> {
        Ok(self.here()?.tokens.get(&provider).cloned())
    }

    async fn put_token(&self, put: &TokenPut, _: UnixMs) -> Result<TokenWritten, Error> {
        let mut inner = self.here()?;
        if inner.tokens.get(&put.provider).map_or(0, |token| token.version) != put.replaces {
            return Ok(TokenWritten::Overtaken);
        }
        let token = StoredToken {
            provider: put.provider,
            version: put.replaces + 1,
            credential_version: put.credential_version,
            state: TokenState::Ready,
            token: Some(put.token.clone()),
            failure: None,
            exchange_began_at: None,
        };
        inner.tokens.insert(put.provider, token);
        Ok(TokenWritten::Written(put.replaces + 1))
    }

    async fn token_failed(
        &self,
        (provider, version, credential_version): (ProviderId, u64, u64),
        failure: &TokenFailure,
        state: TokenState,
    ) -> Result<bool, Error> {
        let mut inner = self.here()?;
        let token = inner.tokens.entry(provider).or_insert_with(|| StoredToken {
            provider,
            version: 0,
            credential_version,
            state,
            token: None,
            failure: None,
            exchange_began_at: None,
        });
        if token.version != version {
            return Ok(false);
        }
        (token.state, token.failure) = (state, Some(failure.clone()));
        token.exchange_began_at = None;
        Ok(true)
    }

    async fn token_exchange_began(
        &self,
        (provider, version): (ProviderId, u64),
        at: UnixMs,
    ) -> Result<(), Error> {
        let mut inner = self.here()?;
        let token = inner.tokens.get_mut(&provider);
        if let Some(token) = token.filter(|token| token.version == version) {
            token.exchange_began_at = Some(at);
        }
        Ok(())
    }

    async fn take_token_lease(
        &self,
        provider: ProviderId,
        _: &str,
        now: UnixMs,
        until: UnixMs,
    ) -> Result<Option<u64>, Error> {
        let mut inner = self.here()?;
        let (fence, held_until) = inner.leases.entry(provider).or_insert((0, UnixMs(0)));
        if now < *held_until {
            return Ok(None);
        }
        (*fence, *held_until) = (*fence + 1, until);
        Ok(Some(*fence))
    }

    async fn set_token_lease(&self, provider: ProviderId, fence: u64, until: UnixMs) -> Result<bool, Error> {
        let mut inner = self.here()?;
        match inner.leases.get_mut(&provider) {
            Some((known, held_until)) if *known == fence => {
                *held_until = until;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    async fn put_login(&self, login: &OauthLogin, _: UnixMs) -> Result<(), Error> {
        let key = (login.provider, login.actor.clone());
        self.here()?.logins.insert(key, login.clone());
        Ok(())
    }

    async fn take_login(
        &self,
        provider: ProviderId,
        actor: &str,
        now: UnixMs,
    ) -> Result<Option<OauthLogin>, Error> {
        let taken = self.here()?.logins.remove(&(provider, actor.to_owned()));
        Ok(taken.filter(|login| now < login.expires_at))
    }

    async fn close(&self) {}
}
