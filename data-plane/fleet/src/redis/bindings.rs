//! Sticky sessions in Redis: one key a session, with a time to live.

use penstock_core::id::ProviderId;
use penstock_core::session::SessionId;
use uuid::Uuid;

use super::counters::{PATIENCE, RedisCounters};
use super::script::ScriptCall;
use crate::account::{Account, SubjectName};
use crate::binding::{Bind, Bindings, Bound};
use crate::counters::Unreachable;
use crate::kick::NO_PROVIDER;

impl Bindings for RedisCounters {
    async fn bound(&self, session: SessionId) -> Result<Option<Bound>, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.binding, &[key(session)]);
        call.arg(self.now());
        let words: Vec<String> = self.link.invoke(&call, self.link.timeout()).await?;
        match words.as_slice() {
            [] => Ok(None),
            words => read(words).map(Some),
        }
    }

    async fn bind(&self, bind: &Bind) -> Result<Bound, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.bind, &[key(bind.session)]);
        let name = |provider: ProviderId| provider.0.simple().to_string();
        call.arg(self.now())
            .arg(name(bind.provider))
            .arg(bind.seen.map_or_else(|| "-".to_owned(), name))
            .arg(bind.keep.ttl_ms())
            .arg(bind.keep.renew_below_ms());
        let words: Vec<String> = self.link.invoke(&call, PATIENCE).await?;
        read(&words)
    }
}

impl RedisCounters {
    /// Takes a session its provider away. Which one it had.
    pub(crate) async fn unbind(&self, session: SessionId) -> Result<Option<ProviderId>, Unreachable> {
        let mut call = ScriptCall::new(&self.scripts.unbind, &[key(session)]);
        call.arg(self.now()).arg(NO_PROVIDER.0.simple().to_string());
        let held: String = self.link.invoke(&call, PATIENCE).await?;
        Ok(Uuid::try_parse(&held).ok().map(ProviderId))
    }

    /// Takes a session out of a subject's concurrent ones. Whether it was one.
    pub(crate) async fn free(
        &self,
        account: Account,
        subject: SubjectName,
        session: SessionId,
    ) -> Result<bool, Unreachable> {
        let set = format!("penstock:1:{{{account}}}:s:{subject}");
        let mut call = ScriptCall::new(&self.scripts.free, &[set]);
        call.arg(session.to_string());
        let freed: i64 = self.link.invoke(&call, PATIENCE).await?;
        Ok(freed > 0)
    }
}

fn key(session: SessionId) -> String {
    format!("penstock:1:{{s{session}}}:b")
}

fn read(words: &[String]) -> Result<Bound, Unreachable> {
    let bound = match words {
        [provider, left] => Uuid::try_parse(provider).ok().zip(left.parse().ok()),
        _ => None,
    };
    match bound {
        Some((provider, left)) => Ok(Bound {
            provider: ProviderId(provider),
            left,
        }),
        None => Err(Unreachable(format!(
            "a script answered {words:?}, which is no binding"
        ))),
    }
}
