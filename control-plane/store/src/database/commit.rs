//! Commits: the one way in which configuration changes.
//!
//! Order. A commit first does all its work, logging each change under a change set of its own. Only then, just before
//! COMMIT, it takes the head row, and with it the next revision number. So numbers follow the order in which commits
//! become visible, and a long import holds nothing but the rows that it writes: a revocation beside it is neither
//! delayed nor numbered behind it. (SQLite has one write lock; there a commit waits for the one before it.)
//!
//! Races. Rows are read without locks and written only while they are still at the version that was read; so of two
//! commits on one resource the later one touches no row, starts anew, and then meets the new version with its
//! expectation. Clashes of names and secrets, and references to what is just being deleted, are stopped by constraints
//! and handled the same way. From the second attempt on rows are locked as they are read, so attempts are few.
//!
//! Waiting for each other: a commit that adds keys to a user and one that deletes that user do; one that disables it
//! does not.

mod delete;
mod key_hashes;
pub(super) mod label;
mod log;
mod put;

pub(crate) use log::CHANNEL;

use std::collections::HashMap;

use penstock_core::id::{Epoch, UserId};
use penstock_core::invalid::Invalid;
use penstock_core::resource::ResourceRef;
use penstock_core::time::UnixMs;
use uuid::Uuid;

use super::{Database, feed, find};
use crate::api::commit::{Applied, Commit, Committed, Expect, MAX_OPS, Op};
use crate::api::error::Error;
use crate::api::stored::Head;
use crate::rows::{self, Existing};
use crate::sql::fault::{Attempts, Fault};
use crate::sql::query::sql;
use crate::sql::tx::Tx;

/// A commit under way.
struct Work {
    tx: Tx,
    at: UnixMs,
    change_set: Uuid,
    /// Changes logged so far.
    changes: u32,
    /// Lock rows as they are read.
    lock: bool,
    /// Names of users, for the labels of their keys.
    owners: HashMap<UserId, String>,
}

impl Database {
    pub(super) async fn commit_all(&self, commit: &Commit) -> Result<Committed, Error> {
        if commit.ops.len() > MAX_OPS {
            let problem = format!("has more than {MAX_OPS} operations: split it into several commits");
            return Err(Invalid::new("commit", problem).into());
        }
        let mut attempts = Attempts::default();
        loop {
            match self.attempt(commit, attempts.made() > 0).await {
                Ok(committed) => {
                    if committed.made_revision {
                        self.announce();
                    }
                    return Ok(committed);
                }
                Err(fault) => attempts.again(fault).await?,
            }
        }
    }

    async fn attempt(&self, commit: &Commit, lock: bool) -> Result<Committed, Fault> {
        let mut work = Work {
            tx: self.pools.write().await?,
            at: commit.at,
            change_set: Uuid::now_v7(),
            changes: 0,
            lock,
            owners: HashMap::new(),
        };
        let mut applied = Vec::with_capacity(commit.ops.len());
        for op in &commit.ops {
            applied.push(work.apply(op).await?);
        }
        let made_revision = work.changes > 0;
        let head = if made_revision {
            work.number(commit).await?
        } else {
            feed::head(&mut work.tx).await?
        };
        work.tx.commit().await?;
        Ok(Committed {
            head,
            made_revision,
            applied,
        })
    }

    pub(super) async fn replace_epoch(&self, replacing: Epoch, why: &Commit) -> Result<Head, Error> {
        let mut attempts = Attempts::default();
        loop {
            match self.attempt_epoch(replacing, why).await {
                Ok(head) => {
                    self.announce();
                    return Ok(head);
                }
                Err(fault) => attempts.again(fault).await?,
            }
        }
    }

    async fn attempt_epoch(&self, replacing: Epoch, why: &Commit) -> Result<Head, Fault> {
        let mut work = Work {
            tx: self.pools.write().await?,
            at: why.at,
            change_set: Uuid::now_v7(),
            changes: 0,
            lock: true,
            owners: HashMap::new(),
        };
        let begin = sql("UPDATE config_head SET epoch = $1 WHERE epoch = $2");
        let begun = work
            .tx
            .execute(begin.bind(Uuid::now_v7()).bind(replacing.0))
            .await?;
        let head = if begun == 0 {
            feed::head(&mut work.tx).await?
        } else {
            work.number(why).await?
        };
        work.tx.commit().await?;
        Ok(head)
    }
}

impl Work {
    async fn apply(&mut self, op: &Op) -> Result<Applied, Fault> {
        match op {
            Op::Put(put) => self.put(put).await,
            Op::Delete { reference, expect } => self.delete(reference, *expect).await,
        }
    }

    /// The resource as it is now, if it is what the caller expects.
    async fn expected(
        &mut self,
        reference: &ResourceRef,
        expect: Expect,
        name: Option<&str>,
    ) -> Result<Option<Existing>, Fault> {
        if self.lock {
            let lock = sql(rows::table(reference.kind()).lock);
            self.tx.execute(lock.bind(rows::id_value(reference))).await?;
        }
        let existing = find::existing(&mut self.tx, reference).await?;
        let actual = existing.as_ref().map(|row| row.version);
        let expected = match expect {
            Expect::Any => return Ok(existing),
            Expect::Absent => None,
            Expect::Version(version) => Some(version),
        };
        if actual == expected {
            return Ok(existing);
        }
        Err(self.conflict(reference, expected, existing, name).await?.into())
    }

    async fn conflict(
        &mut self,
        reference: &ResourceRef,
        expected: Option<u64>,
        existing: Option<Existing>,
        name: Option<&str>,
    ) -> Result<Error, Fault> {
        let last = log::last_change(&mut self.tx, reference).await?;
        let label = match (&existing, &last) {
            (Some(row), _) => self.label_of(row).await?,
            (None, Some(last)) => last.label.clone(),
            (None, None) => match name {
                Some(name) => label::plain(reference.kind(), name),
                None => reference.to_string(),
            },
        };
        Ok(Error::Conflict {
            label,
            expected,
            actual: existing.map(|row| row.version),
            changed_by: last.as_ref().map(|last| last.actor.clone()),
            changed_at: last.map(|last| UnixMs(last.created_at)),
        })
    }
}
