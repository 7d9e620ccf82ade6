//! What the gateway does about a failure, in words: from the finding itself, so that they cannot differ.

use std::time::Duration;

use super::{Finding, Repeat, Scope};

/// Sentences for operators.
pub(super) fn describe(finding: &Finding, states_moment: bool) -> String {
    let class = finding.class;
    let mut said = vec![format!(
        "Class {} ({}).",
        class.letter(),
        class.as_str().replace('_', " ")
    )];
    let repeat = match finding.repeat {
        Repeat::Once { after } => format!("asks the same provider once more after {}", length(after)),
        Repeat::Never => "does not ask the same provider again".to_owned(),
    };
    let next = if class.tries_next() {
        "then the next one"
    } else {
        "nor another one: the caller gets the answer"
    };
    said.push(format!("It {repeat}, {next}."));
    said.extend(set_aside(finding, states_moment));
    if finding.is_failure() {
        said.push("It is one failure to the circuit breaker.".to_owned());
    }
    if !class.may_be_shown() {
        said.push("The caller does not see the provider's words.".to_owned());
    }
    said.join(" ")
}

fn set_aside(finding: &Finding, states_moment: bool) -> Option<String> {
    let cooling = finding.cooling?;
    let what = match finding.scope {
        Scope::Provider => "The provider",
        Scope::Model => "The model at this provider",
        Scope::Route => "The way out to this provider",
        Scope::Endpoint => "This base URL of the provider",
    };
    if finding.permanent {
        return Some(format!("{what} is set aside until an operator resets it."));
    }
    let guess = if cooling.first == cooling.cap {
        length(cooling.first)
    } else {
        format!(
            "{}, doubling up to {}",
            length(cooling.first),
            length(cooling.cap)
        )
    };
    Some(if states_moment {
        format!("{what} is left alone until the moment that the answer states, else for {guess}.")
    } else {
        format!("{what} is left alone for {guess}.")
    })
}

fn length(of: Duration) -> String {
    let (seconds, ms) = (of.as_secs(), of.subsec_millis());
    match (seconds, ms) {
        (0, ms) => format!("{ms} ms"),
        (s, _) if s % 3600 == 0 => format!("{} h", s / 3600),
        (s, _) if s % 60 == 0 => format!("{} min", s / 60),
        (s, _) => format!("{s} s"),
    }
}
