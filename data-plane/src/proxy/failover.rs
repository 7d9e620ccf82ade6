//! Asking providers until one answers (behaviour B5). What a failure means for the next step is the class's word.
//!
//! *Same provider.* At most [`MAX_TRIES`] tries: the class says whether there is a second one and after which wait. It
//! goes on under what the first one holds of the provider's limits.
//!
//! *Base URLs.* One that cannot be reached rests for a while, and the second try goes to another one at once.
//!
//! *Refused tokens.* A 401 for an access token that the control plane renews is no failure yet: the call waits for the next
//! token, up to [`renewal::PATIENCE`], and asks once more with it. Nothing is held against the credential while a token
//! can still come.
//!
//! *Next provider.* At most as many as the setting `routing` says. What was held of the one before is given back. Nothing
//! of an attempt has reached the caller, so a failed one leaves no trace.
//!
//! *Full ones.* A provider without room is passed over, and not asked about again for a moment; a call passes over so many
//! that way and then gives up.
//!
//! *Bounds.* The waits of one call stay under [`MAX_WAITS`] together. All attempts together fit into the total timeout of
//! the most patient provider asked; one whose own has run out by then is passed over.
//!
//! *Health.* A provider's is told of one failure for each call, however many tries and substitutes, and of none that our
//! own deadline made: one that left the provider less than three quarters of its own time.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use penstock_core::failure::{Class, Finding, Network, Repeat, Scope};
use penstock_core::health::{Standing, recent};
use penstock_core::route::Verdict;
use penstock_core::snapshot::Caller;
use penstock_core::time::UnixMs;
use penstock_fleet::{Lease, Trial};
use tokio::time::{Instant, sleep};

use super::attempt::{self, Answered, Content, Way};
use super::call::{Call, Chosen};
use super::error::Refusal;
use super::failed::{Ending, Failed, Failure};
use super::outgoing::{Outgoing, Sent};
use super::trail::Trail;
use super::{affinity, decision, provider_limits, route};
use crate::clock;
use crate::renewal::{self, Renewed};
use crate::upstream::Target;

/// At one provider.
const MAX_TRIES: u32 = 2;
/// Between tries, in one call.
const MAX_WAITS: Duration = Duration::from_secs(3);
/// The trial of a half-open breaker is another's so long after its process died.
const TRIAL: Duration = Duration::from_secs(10);

/// Which of a provider's base URLs was asked last.
#[derive(Default)]
struct Endpoint {
    target: Option<Arc<Target>>,
    at: Option<usize>,
}

/// Asks providers until one answers.
pub(super) async fn run(call: &mut Call, caller: &Caller, outgoing: &Outgoing) -> Result<Answered, Ending> {
    let mut trail = Trail::new(call);
    loop {
        let chosen = match route::choose(call, caller, &mut trail) {
            Ok(chosen) => chosen,
            Err(refusal) => {
                return Err(give_up(call, caller, trail, refusal));
            }
        };
        let Some(sent) = may_ask(call, &chosen, outgoing, &mut trail).await else {
            if trail.is_over() {
                return Err(give_up(call, caller, trail, route::nobody()));
            }
            continue;
        };
        let keeper = call.trial.as_ref().map(Lease::keeper);
        let asking = ask(call, &chosen, (outgoing, &sent), &mut trail);
        let asked = match keeper {
            None => asking.await,
            Some(keeper) => tokio::select! {
                asked = asking => asked,
                never = Box::pin(keeper.keep(TRIAL)) => match never {},
            },
        };
        let failure = match asked {
            Ok(answered) => {
                if matches!(answered.content, Content::Stream(_)) {
                    // The next trial may begin; this one goes on.
                    call.trial = None;
                }
                affinity::bind(call, &chosen);
                return Ok(answered);
            }
            Err(failure) => failure,
        };
        call.give_back_provider();
        (call.trial, call.is_trial) = (None, false);
        if failure.failed.is_ours() || !failure.finding.class.tries_next() {
            call.failure.told = Some(failure.attempt);
            return Err(failure.ending());
        }
        trail.failed(failure);
        if trail.is_over() {
            return Err(give_up(call, caller, trail, route::nobody()));
        }
    }
}

/// Nobody else is asked.
fn give_up(call: &mut Call, caller: &Caller, trail: Trail, refusal: Refusal) -> Ending {
    decision::look_again(call, caller);
    call.failure.told = trail.told();
    trail.give_up(refusal)
}

/// Takes what an attempt needs: the trial of a half-open breaker, the provider's limits. What is sent; None: the
/// provider was passed over.
async fn may_ask(call: &mut Call, chosen: &Chosen, outgoing: &Outgoing, trail: &mut Trail) -> Option<Sent> {
    let app = Arc::clone(&call.proxy.app);
    let entry = &chosen.provider;
    if trail.deadline(call, chosen) <= Instant::now() {
        trail.out_of_time(entry);
        call.notes.passed_over(entry.id, Verdict::OutOfTime);
        return None;
    }
    let sent = match outgoing.sent(call, chosen).await {
        Ok(sent) => sent,
        Err(why) => {
            trail.unsendable(entry, &why);
            call.notes.passed_over(entry.id, Verdict::Untranslatable);
            return None;
        }
    };
    let (model, now) = (chosen.model(call), clock::now());
    if app.health.standing(entry, model, now) == Standing::HalfOpen {
        if !call.endpoint.is_metered() {
            // It would say nothing of whether models answer.
            trail.waits_for_trial(entry);
            call.notes.passed_over(entry.id, Verdict::TrialUnderWay);
            return None;
        }
        let of = app.health.trial_of(entry, model, now);
        match app.fleet.trial(entry.id, of, TRIAL).await {
            Trial::NotOurs => {
                trail.waits_for_trial(entry);
                call.notes.passed_over(entry.id, Verdict::TrialUnderWay);
                return None;
            }
            Trial::Ours(lease) | Trial::OursAlone(lease) => {
                (call.trial, call.is_trial) = (Some(lease), true);
            }
        }
    }
    match provider_limits::admit(call, chosen, &outgoing.asked).await {
        Ok(grant) => {
            call.provider_grant = grant;
            Some(sent)
        }
        Err(no_room) => {
            (call.trial, call.is_trial) = (None, false);
            call.notes.passed_over(entry.id, trail.full(entry, &no_room));
            None
        }
    }
}

/// Asks one provider, again if its failure's class says so, at another of its base URLs if it has one.
async fn ask(
    call: &mut Call,
    chosen: &Chosen,
    outgoing: (&Outgoing, &Sent),
    trail: &mut Trail,
) -> Result<Answered, Failure> {
    let deadline = trail.ask(call, chosen);
    let mut endpoint = Endpoint::default();
    let (mut chosen, mut tries, mut renewed) = (chosen.clone(), 0, false);
    loop {
        call.begin_attempt(chosen.clone());
        let failed = match send(call, &chosen, outgoing, (deadline, trail), &mut endpoint).await {
            Ok(answered) => {
                call.attempt_answered(answered.head.status.as_u16());
                return Ok(answered);
            }
            Err(failed) => failed,
        };
        let now = clock::now();
        let finding = failed.finding(call, &chosen, now);
        call.note_request(outgoing.0);
        call.attempt_failed(&failed, &finding);
        trail.tried();
        if let Some(token) = endpoint.refused_token(&failed, &finding).filter(|_| !renewed) {
            match renew(call, &chosen, token, deadline).await {
                Renewed::Newer(provider) => {
                    (chosen.provider, renewed) = (provider, true);
                    continue;
                }
                Renewed::Late => {
                    trail.lacks_token();
                    return Err(failure(call, chosen, failed, finding));
                }
                Renewed::Stopped => trail.lacks_token(),
            }
        }
        tries += 1;
        let wait = match () {
            () if failed.is_ours() => None,
            () if endpoint.failed(&finding, now) => Some(Duration::ZERO),
            () => wait(call, &chosen, &finding.repeat),
        };
        if let Some(wait) = wait.filter(|_| tries < MAX_TRIES)
            && trail.may_wait(wait, MAX_WAITS, deadline)
        {
            call.stopwatch.waiting(sleep(wait)).await;
            continue;
        }
        if !failed.is_ours() && !failed.was_cut_short() {
            call.failed_at_provider(&finding, now);
        }
        return Err(failure(call, chosen, failed, finding));
    }
}

fn failure(call: &Call, chosen: Chosen, failed: Failed, finding: Finding) -> Failure {
    Failure {
        attempt: call.attempts.len().saturating_sub(1),
        chosen,
        failed,
        finding,
    }
}

/// Waits for the next access token of the provider.
async fn renew(call: &mut Call, chosen: &Chosen, refused: u64, deadline: Instant) -> Renewed {
    let app = Arc::clone(&call.proxy.app);
    let deadline = deadline.min(Instant::now() + renewal::PATIENCE);
    let waiting = app.renewals.newer(&app, &chosen.provider, refused, deadline);
    call.stopwatch.waiting(waiting).await
}

async fn send(
    call: &mut Call,
    chosen: &Chosen,
    outgoing: (&Outgoing, &Sent),
    (deadline, trail): (Instant, &Trail),
    endpoint: &mut Endpoint,
) -> Result<Answered, Failed> {
    let target = call.proxy.targets.get(&call.snapshot, &chosen.provider)?;
    let at = target.next(endpoint.at, clock::now());
    *endpoint = Endpoint {
        at: Some(at),
        target: Some(Arc::clone(&target)),
    };
    let way = Way {
        target: &target,
        at,
        deadline,
        again: trail.has_tried(),
    };
    attempt::run(call, chosen, outgoing, &way).await
}

impl Endpoint {
    /// The version of the access token that was refused, if it is one that the control plane renews.
    fn refused_token(&self, failed: &Failed, finding: &Finding) -> Option<u64> {
        let unauthorized =
            matches!(failed, Failed::Status(answer) if answer.head.status == StatusCode::UNAUTHORIZED);
        let refused = unauthorized && finding.class == Class::Credential && !finding.permanent;
        let version = self.target.as_ref().map_or(0, |target| target.token_version);
        (refused && version > 0).then_some(version)
    }

    /// Notes a failure. True: it is this base URL's, and there is another one, to be tried at once.
    fn failed(&self, finding: &Finding, now: UnixMs) -> bool {
        let (Some(target), Some(at)) = (&self.target, self.at) else {
            return false;
        };
        let of_network = finding
            .network
            .is_some_and(|cause| cause != Network::TotalTimeout);
        let of_endpoint = of_network || finding.scope == Scope::Endpoint;
        if of_endpoint {
            target.rest(at, now);
        }
        of_endpoint && target.endpoints().len() > 1
    }
}

/// Before the second try; a quarter more or less by chance, longer at a provider that has failed much lately.
fn wait(call: &Call, chosen: &Chosen, repeats: &Repeat) -> Option<Duration> {
    let Repeat::Once { after } = *repeats else {
        return None;
    };
    let failures = call
        .proxy
        .app
        .health
        .recent_failures(&chosen.provider, clock::now());
    let after = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    let after = Duration::from_millis(recent::lengthened(after, failures));
    let jitter = after / 2 * (clock::random() >> 16) / (1 << 16);
    Some(after / 4 * 3 + jitter)
}
