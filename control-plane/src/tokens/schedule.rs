//! When a token is refreshed: ahead of its end, and after failures later and later.

use std::time::Duration;

use penstock_core::backoff::Backoff;
use penstock_core::time::UnixMs;
use penstock_store::{StoredToken, TokenState};

use super::fault::Kind;
use crate::credentials::Definition;

/// Before the end of a token that lives long.
const MOST_AHEAD_MS: i64 = 5 * 60_000;
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// After an operator was called for something that may pass all the same.
const SLOW_WAIT: Duration = Duration::from_secs(900);
/// Answers in a row that no authorization server gives, before an operator is called: more than an hour, as a rule.
const PATIENCE: u32 = 40;

/// When a token is refreshed, by its life alone: 5 min before its end, or a tenth of its life if that is less, and up to
/// half as long before that, so that not all tokens of one hour meet.
pub(crate) fn refresh_at(row: &StoredToken) -> Option<UnixMs> {
    let token = row.token.as_ref()?;
    let life = token.expires_at.0.saturating_sub(token.obtained_at.0).max(0);
    let ahead = MOST_AHEAD_MS.min(life / 10);
    // The same on every replica and after a restart: the second one finds the work done.
    let spread = i64::from(row.provider.0.as_bytes()[15]) + i64::try_from(row.version % 251).unwrap_or(0);
    let jitter = ahead / 2 * (spread % 256) / 256;
    Some(UnixMs(token.expires_at.0.saturating_sub(ahead + jitter)))
}

/// When something is to be done by itself. None: never. `row`: of this definition.
pub(super) fn due(definition: &Definition, row: Option<&StoredToken>) -> Option<UnixMs> {
    match (definition, row) {
        // Nobody has logged in yet.
        (Definition::Oauth(_), None) => None,
        (_, None) => Some(UnixMs(0)),
        (_, Some(row)) if row.state != TokenState::Ready => next_try(row),
        (_, Some(row)) => {
            let by_life = refresh_at(row).unwrap_or(UnixMs(0));
            Some(by_life.max(next_try(row).unwrap_or(UnixMs(0))))
        }
    }
}

pub(super) fn next_try(row: &StoredToken) -> Option<UnixMs> {
    row.failure.as_ref().and_then(|failure| failure.next_try_at)
}

/// What a failure makes of a token, the `times`-th in a row, and how long nothing is tried. None: until an operator acts.
///
/// A login that is refused, and a client that is not accepted, end all trying: each try could be held against the account.
/// An assertion is made anew each time and can be refused for a clock that is wrong, so it is tried slowly. What is no
/// answer of an authorization server says nothing about the login; after [`PATIENCE`] an operator is called, and it is
/// tried slowly.
pub(super) fn after(
    definition: &Definition,
    kind: Kind,
    times: u32,
    random: u32,
) -> (TokenState, Option<Duration>) {
    let is_assertion = matches!(definition, Definition::ServiceAccount(_));
    match kind {
        Kind::Later => (TokenState::Ready, Some(wait(times, random))),
        Kind::Strange if times < PATIENCE => (TokenState::Ready, Some(wait(times, random))),
        Kind::Strange => (TokenState::Misconfigured, Some(SLOW_WAIT)),
        Kind::InvalidGrant if is_assertion => (TokenState::NeedsLogin, Some(SLOW_WAIT)),
        Kind::InvalidGrant | Kind::Unknown => (TokenState::NeedsLogin, None),
        Kind::Misconfigured => (TokenState::Misconfigured, None),
    }
}

/// Before the next try, after so many failures in a row.
fn wait(times: u32, random: u32) -> Duration {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT);
    let mut wait = FIRST_WAIT;
    for _ in 0..times.clamp(1, 16) {
        wait = backoff.next(random);
    }
    wait.max(FIRST_WAIT / 2)
}

#[cfg(test)]
mod tests {
    use penstock_core::id::ProviderId;
    use penstock_store::{Sealed, SealedToken, TokenFailure};

    use super::*;
    use crate::credentials::definition_tests::client;

    fn row(life_ms: i64) -> StoredToken {
        StoredToken {
            provider: ProviderId::from_parts(1, &[7; 10]),
            version: 3,
            credential_version: 1,
            state: TokenState::Ready,
            token: Some(SealedToken {
                sealed: Sealed {
                    key_id: String::new(),
                    ciphertext: Vec::new(),
                    hint: String::new(),
                },
                obtained_at: UnixMs(0),
                expires_at: UnixMs(life_ms),
            }),
            failure: None,
            exchange_began_at: None,
        }
    }

    #[test]
    fn f03_a_token_is_refreshed_a_tenth_of_its_life_or_five_minutes_ahead() {
        for (life, least, most) in [(3_600_000, 300_000, 450_000), (10_000, 1_000, 1_500)] {
            let ahead = life - refresh_at(&row(life)).unwrap().0;
            assert!((least..=most).contains(&ahead), "{life}: {ahead}");
        }
    }

    #[test]
    fn f03_after_a_failure_it_waits_and_after_a_stop_it_never_comes() {
        let oauth = Definition::Oauth(Box::new(client()));
        assert_eq!(due(&oauth, None), None, "nobody has logged in");
        let mut failing = row(10_000);
        failing.failure = Some(TokenFailure {
            next_try_at: Some(UnixMs(60_000)),
            ..TokenFailure::default()
        });
        assert_eq!(due(&oauth, Some(&failing)), Some(UnixMs(60_000)));
        failing.state = TokenState::NeedsLogin;
        assert_eq!(due(&oauth, Some(&failing)), Some(UnixMs(60_000)), "slowly");
        failing.failure = None;
        assert_eq!(due(&oauth, Some(&failing)), None);
        assert!(wait(1, 0) >= FIRST_WAIT / 2);
        assert!(wait(100, u32::MAX) <= LONGEST_WAIT);
    }

    #[test]
    fn f03_only_a_server_that_says_so_stops_refreshing_for_good() {
        let oauth = Definition::Oauth(Box::new(client()));
        let file = crate::credentials::service_account_tests::file("https://oauth2.googleapis.com/token");
        let account = crate::credentials::read_service_account(&file).ok().unwrap();
        let account = Definition::ServiceAccount(Box::new(account));
        let stops = |definition: &Definition, kind| after(definition, kind, 1, 0).1.is_none();
        assert!(stops(&oauth, Kind::InvalidGrant) && stops(&oauth, Kind::Misconfigured));
        assert!(stops(&oauth, Kind::Unknown) && stops(&account, Kind::Misconfigured));
        // A clock that is wrong.
        assert_eq!(
            after(&account, Kind::InvalidGrant, 1, 0),
            (TokenState::NeedsLogin, Some(SLOW_WAIT))
        );
        // A proxy's page for an hour.
        let (state, waits) = after(&oauth, Kind::Strange, PATIENCE - 1, 0);
        assert_eq!((state, waits.is_some()), (TokenState::Ready, true));
        assert_eq!(
            after(&oauth, Kind::Strange, PATIENCE, 0),
            (TokenState::Misconfigured, Some(SLOW_WAIT))
        );
        let waited: Duration = (1..PATIENCE).map(|times| wait(times, u32::MAX / 2)).sum();
        assert!(waited > Duration::from_secs(3_600), "{waited:?}");
    }
}
