//! An answer as a list of steps, and how a behaviour bends it.
//!
//! A dialect makes a list of [`Event`]s: the good stream. [`plan`] turns it into steps with the delays, pings,
//! holds and endings that the behaviour asks for. The body then only walks the list.

use std::time::Duration;

use bytes::Bytes;

use crate::behaviour::{Behaviour, Ending, Instead};
use crate::gate::Gate;
use crate::usage::Usage;

/// Long enough for what was written to leave the process before the connection is dropped.
const FLUSH: Duration = Duration::from_millis(5);

/// Between pings of a silent stream when no pace is set.
const SILENCE_PACE: Duration = Duration::from_secs(1);

/// One server-sent event of a good stream.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) bytes: Bytes,
    /// The usage that this event states.
    pub(crate) report: Option<Usage>,
}

/// What the body does next.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Wait(Duration),
    Hold(Gate),
    /// The next bytes state this usage.
    Report(Usage),
    /// The next bytes are the last ones of a whole answer.
    Complete,
    /// The answer ends here on purpose, unfinished.
    Fail,
    Send(Bytes),
    /// The bytes again and again, for ever.
    Repeat {
        every: Duration,
        bytes: Bytes,
    },
    /// Nothing more, for ever.
    Stall,
    /// Drops the connection.
    Cut,
}

/// What a dialect writes besides its good events.
#[derive(Clone, Debug)]
pub(crate) struct Extras {
    pub(crate) ping: Bytes,
    pub(crate) error: Bytes,
}

impl Event {
    pub(crate) fn plain(bytes: Bytes) -> Self {
        Self { bytes, report: None }
    }
}

/// The steps of a stream.
pub(crate) fn plan(events: &[Event], extras: &Extras, behaviour: &Behaviour) -> Vec<Step> {
    let mut steps = Vec::with_capacity(events.len() * 2 + 4);
    wait(&mut steps, behaviour.first_event_delay);
    if behaviour.instead == Some(Instead::Silence) {
        let every = if behaviour.pace.is_zero() {
            SILENCE_PACE
        } else {
            behaviour.pace
        };
        steps.push(Step::Repeat {
            every,
            bytes: extras.ping.clone(),
        });
        return steps;
    }
    let pings = std::iter::repeat_n(Event::plain(extras.ping.clone()), behaviour.pings);
    let whole = behaviour.pings + events.len();
    let last = whole.saturating_sub(1);
    for (sent, event) in pings.chain(events.iter().cloned()).enumerate() {
        if ends(&mut steps, sent, extras, behaviour) {
            return steps;
        }
        if sent > 0 {
            wait(&mut steps, behaviour.pace);
        }
        hold(&mut steps, sent, behaviour);
        steps.extend(event.report.map(Step::Report));
        if sent == last && behaviour.end.is_none() {
            steps.push(Step::Complete);
        }
        steps.push(Step::Send(event.bytes));
    }
    // An ending beyond the last event comes right after it.
    ends(&mut steps, usize::MAX, extras, behaviour);
    steps
}

/// The steps of a body that is not streamed.
pub(crate) fn whole(body: Bytes, usage: Option<Usage>, behaviour: &Behaviour) -> Vec<Step> {
    let mut steps = Vec::with_capacity(3);
    let Some(end) = behaviour.end.filter(|end| end.how != Ending::Error) else {
        steps.extend(usage.map(Step::Report));
        steps.extend([Step::Complete, Step::Send(body)]);
        return steps;
    };
    if end.after > 0 {
        steps.push(Step::Send(body.slice(..body.len() / 2)));
    }
    finish(&mut steps, end.how, None);
    steps
}

fn ends(steps: &mut Vec<Step>, sent: usize, extras: &Extras, behaviour: &Behaviour) -> bool {
    let Some(end) = behaviour.end.filter(|end| end.after <= sent) else {
        return false;
    };
    if end.how == Ending::Error {
        wait(steps, behaviour.pace);
    }
    finish(steps, end.how, Some(&extras.error));
    true
}

fn finish(steps: &mut Vec<Step>, how: Ending, error: Option<&Bytes>) {
    match how {
        Ending::Cut => steps.extend([Step::Wait(FLUSH), Step::Fail, Step::Cut]),
        Ending::Clean => steps.push(Step::Fail),
        Ending::Error => {
            steps.push(Step::Fail);
            steps.extend(error.cloned().map(Step::Send));
        }
        Ending::Stall => steps.push(Step::Stall),
    }
}

fn wait(steps: &mut Vec<Step>, time: Duration) {
    if !time.is_zero() {
        steps.push(Step::Wait(time));
    }
}

fn hold(steps: &mut Vec<Step>, sent: usize, behaviour: &Behaviour) {
    if let Some((after, gate)) = &behaviour.hold_after
        && *after == sent
    {
        steps.push(Step::Hold(gate.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(behaviour: &Behaviour) -> String {
        let event = |name: &'static str| Event::plain(Bytes::from_static(name.as_bytes()));
        let mut events = [event("a"), event("b"), event("c")];
        events[1].report = Some(Usage::default());
        let extras = Extras {
            ping: Bytes::from_static(b"p"),
            error: Bytes::from_static(b"e"),
        };
        let word = |step: &Step| match step {
            Step::Wait(time) => format!("{}ms", time.as_millis()),
            Step::Hold(_) => "hold".into(),
            Step::Report(_) => "report".into(),
            Step::Complete => "complete".into(),
            Step::Fail => "fail".into(),
            Step::Send(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Step::Repeat { every, .. } => format!("repeat {}ms", every.as_millis()),
            Step::Stall => "stall".into(),
            Step::Cut => "cut".into(),
        };
        plan(&events, &extras, behaviour)
            .iter()
            .map(word)
            .collect::<Vec<_>>()
            .join(" ")
    }

    fn parsed(words: &str) -> String {
        planned(&Behaviour::parse(words).unwrap())
    }

    #[test]
    fn a_good_stream_completes_before_its_last_event() {
        assert_eq!(parsed(""), "a report b complete c");
    }

    #[test]
    fn paces_stand_between_events_and_delays_before_them() {
        assert_eq!(
            parsed("first=5 pace=2 pings=1"),
            "5ms p 2ms a 2ms report b 2ms complete c"
        );
    }

    #[test]
    fn endings_come_after_exactly_so_many_events() {
        assert_eq!(parsed("cut=1"), "a 5ms fail cut");
        assert_eq!(parsed("end=2"), "a report b fail");
        assert_eq!(parsed("error=0"), "fail e");
        assert_eq!(parsed("stall=2 pace=1"), "a 1ms report b stall");
    }

    #[test]
    fn an_ending_beyond_the_last_event_comes_after_it() {
        assert_eq!(parsed("cut=99"), "a report b c 5ms fail cut");
    }

    #[test]
    fn silence_is_pings_at_the_pace() {
        assert_eq!(parsed("silent"), "repeat 1000ms");
        assert_eq!(parsed("silent pace=30"), "repeat 30ms");
    }

    #[test]
    fn a_hold_stands_before_the_next_event() {
        assert_eq!(
            planned(&Behaviour::held_after(1, &Gate::new())),
            "a hold report b complete c"
        );
    }
}
