//! What comes back beside what is there: access tokens, accounts, webhooks. Nothing of it is written over or deleted.

use penstock_store::{Error, StoredOperator, Webhook};

use super::{Restore, RestoreError};
use crate::backup::plan::Tally;
use crate::backup::section::{OPERATORS, TOKENS, WEBHOOKS};
use crate::backup::token::{Brought, TokenItem};

impl Restore<'_> {
    pub(super) async fn token(&mut self, token: TokenItem) -> Result<(), RestoreError> {
        self.tally(TOKENS).rows += 1;
        if self.ticket.is_none() {
            return Ok(());
        }
        let (provider, remark) = (token.provider(), token.remark());
        let brought = token.write(&*self.context.store, &self.context.name).await?;
        let tally = self.tally(TOKENS);
        match brought {
            Brought::Written => {
                tally.created += 1;
                self.remarks.extend(remark);
            }
            Brought::Kept => tally.unchanged += 1,
            Brought::Left => self.remarks.push(format!(
                "the access token of provider {provider} was left out: see penstock oauth status"
            )),
        }
        Ok(())
    }

    pub(super) async fn operator(&mut self, account: StoredOperator) -> Result<(), RestoreError> {
        let mut present = match self.accounts.take() {
            Some(present) => present,
            None => self.context.store.operators().await?.operators,
        };
        let (name, role) = (&account.operator.name, account.operator.role.as_str());
        let same =
            |other: &StoredOperator| other.operator.name == *name || other.token.hash == account.token.hash;
        let met = match () {
            () if present.iter().any(|other| other.id == account.id) => Met::Kept,
            () if present.iter().any(same) => Met::Clash,
            () if self.ticket.is_none() => Met::Missing,
            () => Met::written(self.context.store.restore_operator(&account).await)?,
        };
        self.remarks.extend(match met {
            Met::Kept => None,
            Met::Clash => Some(format!(
                "the account of operator {name:?} was left out: there is another one with its name or its token"
            )),
            Met::Missing => Some(format!(
                "operator {name:?} ({role}) is not there and comes back, with the token of then"
            )),
        });
        met.count(self.tally(OPERATORS));
        present.push(account);
        self.accounts = Some(present);
        Ok(())
    }

    /// With what is to be said of it, when it comes back.
    pub(super) async fn webhook(
        &mut self,
        webhook: Webhook,
        remark: Option<String>,
    ) -> Result<(), RestoreError> {
        let mut present = match self.webhooks.take() {
            Some(present) => present,
            None => self.context.store.webhooks().await?,
        };
        let met = match () {
            () if present.iter().any(|other| other.id == webhook.id) => Met::Kept,
            () if present.iter().any(|other| other.name == webhook.name) => Met::Clash,
            () if self.ticket.is_none() => Met::Missing,
            () => Met::written(self.context.store.restore_webhook(&webhook).await)?,
        };
        if met == Met::Missing {
            self.remarks.extend(remark);
        }
        if met == Met::Clash {
            let name = &webhook.name;
            self.remarks.push(format!(
                "webhook {name:?} was left out: there is another one of that name"
            ));
        }
        met.count(self.tally(WEBHOOKS));
        present.push(webhook);
        self.webhooks = Some(present);
        Ok(())
    }
}

/// What one that comes back meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Met {
    /// Itself.
    Kept,
    /// Another one where it would be.
    Clash,
    /// Nothing: it is made.
    Missing,
}

impl Met {
    /// Somebody can have been faster.
    fn written(written: Result<bool, Error>) -> Result<Self, Error> {
        Ok(match written? {
            true => Self::Missing,
            false => Self::Clash,
        })
    }

    fn count(self, tally: &mut Tally) {
        tally.rows += 1;
        match self {
            Self::Kept => tally.unchanged += 1,
            Self::Clash => {}
            Self::Missing => tally.created += 1,
        }
    }
}
