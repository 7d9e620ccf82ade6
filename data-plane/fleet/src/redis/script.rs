//! The scripts, each with what all share in front of it.
//!
//! A script is known to Redis by the SHA-1 of its text, so scripts of different releases live beside each other. A
//! server that does not know one yet is given it by the call itself.

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, FromRedisValue, RedisResult, Script, ServerErrorKind, ToRedisArgs};

/// Room for the arguments of a call of two subjects.
const ARGUMENTS: usize = 80;
const BYTES: usize = 1024;

/// One call of a script, written into one buffer as it goes over the wire.
///
/// The client's own `ScriptInvocation` keeps each of some seventy arguments in an allocation and copies them all.
pub(super) struct ScriptCall<'a> {
    script: &'a Script,
    command: Cmd,
}

impl<'a> ScriptCall<'a> {
    pub(super) fn new(script: &'a Script, keys: &[String]) -> Self {
        let mut command = Cmd::with_capacity(ARGUMENTS, BYTES);
        command
            .arg("EVALSHA")
            .arg(script.get_hash())
            .arg(keys.len())
            .arg(keys);
        Self { script, command }
    }

    pub(super) fn arg(&mut self, value: impl ToRedisArgs) -> &mut Self {
        self.command.arg(value);
        self
    }

    /// Calls it, and gives a server that does not know the script its text first.
    pub(super) async fn ask<T: FromRedisValue>(
        &self,
        connection: &mut impl ConnectionLike,
    ) -> RedisResult<T> {
        match self.command.query_async(connection).await {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                self.script.load_async(connection).await?;
                self.command.query_async(connection).await
            }
            answer => answer,
        }
    }
}

/// The scripts of this release.
pub(super) struct Scripts {
    pub(super) admit: Script,
    pub(super) settle: Script,
    pub(super) adopt: Script,
    pub(super) top_up: Script,
    pub(super) renew: Script,
    pub(super) seed: Script,
    pub(super) read: Script,
    pub(super) count: Script,
    pub(super) guard: Script,
    pub(super) binding: Script,
    pub(super) bind: Script,
    pub(super) trial: Script,
    pub(super) end_trial: Script,
    pub(super) unbind: Script,
    pub(super) free: Script,
}

/// Texts of the scripts, in the order of the fields.
const TEXTS: [&str; 15] = [
    concat!(include_str!("lua/account.lua"), include_str!("lua/admit.lua")),
    concat!(include_str!("lua/account.lua"), include_str!("lua/settle.lua")),
    concat!(include_str!("lua/account.lua"), include_str!("lua/adopt.lua")),
    concat!(include_str!("lua/account.lua"), include_str!("lua/top_up.lua")),
    concat!(include_str!("lua/account.lua"), include_str!("lua/renew.lua")),
    concat!(include_str!("lua/account.lua"), include_str!("lua/seed.lua")),
    concat!(include_str!("lua/account.lua"), include_str!("lua/read.lua")),
    concat!(include_str!("lua/clock.lua"), include_str!("lua/count.lua")),
    concat!(include_str!("lua/clock.lua"), include_str!("lua/guard.lua")),
    concat!(include_str!("lua/clock.lua"), include_str!("lua/binding.lua")),
    concat!(include_str!("lua/clock.lua"), include_str!("lua/bind.lua")),
    concat!(include_str!("lua/clock.lua"), include_str!("lua/trial.lua")),
    include_str!("lua/end_trial.lua"),
    concat!(include_str!("lua/clock.lua"), include_str!("lua/unbind.lua")),
    include_str!("lua/free.lua"),
];

impl Scripts {
    pub(super) fn new() -> Self {
        let [
            admit,
            settle,
            adopt,
            top_up,
            renew,
            seed,
            read,
            count,
            guard,
            binding,
            bind,
            trial,
            end_trial,
            unbind,
            free,
        ] = TEXTS.map(Script::new);
        Self {
            admit,
            settle,
            adopt,
            top_up,
            renew,
            seed,
            read,
            count,
            guard,
            binding,
            bind,
            trial,
            end_trial,
            unbind,
            free,
        }
    }

    /// The texts of all, so that a connection can make them known before they are called.
    pub(super) fn all(&self) -> [&'static str; TEXTS.len()] {
        TEXTS
    }
}
