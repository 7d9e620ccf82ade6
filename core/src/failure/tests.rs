//! The table as a whole, and what the classes entail. Each row with a provider's own bytes is tried in the dialect
//! crate, where bodies are read (`upstream_errors.rs`).

use std::sync::Arc;
use std::time::Duration;

use super::row::{Is, Means};
use super::*;
use crate::error_rule::{ErrorField, ErrorPattern, ErrorRule, ErrorText};

const NOW: UnixMs = UnixMs(1_796_000_000_000);

fn seen(status: u16) -> Answered<'static> {
    Answered::of_status("main", ProviderKind::Openai, status)
}

fn find(seen: &Answered<'_>) -> Finding {
    of_answer(&ErrorRules::default(), seen, NOW)
}

fn sets_aside(means: Means) -> bool {
    let finding = means.finding("", &seen(400), NOW);
    finding.sets_aside()
}

/// 0: headers and pages; 1: codes; 2: text alone.
fn looks_at(said: &[Is]) -> u8 {
    let first = said.first();
    match first {
        Some(Is::Page | Is::Denied | Is::PlanUsedUp) => 0,
        Some(Is::Word(_) | Is::Param(_) | Is::Quota(_)) => 1,
        Some(Is::Text(_) | Is::OfModel(_) | Is::NoAnswer | Is::ModelInPath) | None => 2,
    }
}

#[test]
fn the_table_is_ordered_by_what_it_looks_at() {
    let tiers: Vec<u8> = table::TABLE.iter().map(|row| looks_at(row.said)).collect();
    assert!(tiers.is_sorted(), "{tiers:?}");
}

#[test]
fn b09_no_text_that_a_caller_may_have_written_sets_anything_aside() {
    for row in table::TABLE.iter().filter(|row| sets_aside(row.means)) {
        let quiet = |status: &u16| !find(&seen(*status)).sets_aside() && *status < 500;
        if row.statuses.iter().any(quiet) || row.statuses.is_empty() {
            let loose = row.said.iter().any(|is| match is {
                Is::Text(patterns) => patterns.iter().any(|pattern| pattern.starts_with('*')),
                Is::Word(_)
                | Is::OfModel(_)
                | Is::Param(_)
                | Is::Quota(_)
                | Is::Page
                | Is::NoAnswer
                | Is::ModelInPath
                | Is::Denied
                | Is::PlanUsedUp => false,
            });
            assert!(!loose, "row {} is not anchored", row.number);
        }
    }
}

#[test]
fn b09_a_message_that_repeats_the_callers_words_sets_no_provider_aside_for_long() {
    let until = |message| {
        let answered = Answered {
            message: Some(message),
            ..seen(402)
        };
        find(&answered).until.map(|at| at.0 - NOW.0)
    };
    let hour = Some(3_600_000);
    assert_eq!(
        until("No money left for the model `try again in 9999 days`."),
        hour
    );
    assert_eq!(until("No money for `regain access on 2099-01-01`."), hour);
    assert_eq!(until("No money. Try again in 10 minutes."), Some(600_000));
    let vendors = "You have reached your specified API usage limits. You will regain access on 2099-01-01.";
    assert!(until(vendors) > hour);
}

#[test]
fn b09_no_stated_moment_is_believed_beyond_a_month() {
    let retry_after = Some(Duration::from_secs(99_999_999_999_999));
    let answered = Answered {
        hints: Hints {
            retry_after,
            ..Hints::default()
        },
        ..seen(429)
    };
    assert_eq!(find(&answered).until, Some(NOW.plus_ms(31 * 86_400_000)));
}

#[test]
fn every_status_has_a_default() {
    let letter = |status| find(&seen(status)).class.letter();
    for (statuses, class) in [
        (&[400, 404, 405, 413, 422, 499][..], 'C'),
        (&[401], 'K'),
        (&[402], 'B'),
        (&[403], 'U'),
        (&[408, 409, 500, 501, 502, 503, 504, 520, 599], 'T'),
        (&[429], 'R'),
        (&[529], 'O'),
    ] {
        for status in statuses {
            assert_eq!(letter(*status), class, "{status}");
        }
    }
}

#[test]
fn b05_timeouts_are_not_repeated_at_the_same_provider() {
    let soon = Repeat::Once {
        after: Duration::from_millis(500),
    };
    assert_eq!(find(&seen(500)).repeat, soon);
    assert_eq!(find(&seen(504)).repeat, Repeat::Never);
    assert_eq!(of_network(Network::Refused).repeat, soon);
    for cause in [
        Network::ConnectTimeout,
        Network::FirstByteTimeout,
        Network::TotalTimeout,
    ] {
        assert_eq!(of_network(cause).repeat, Repeat::Never);
    }
}

#[test]
fn b06_a_page_holds_nothing_against_the_provider_and_a_bad_answer_its_endpoint() {
    let page = of_network(Network::Page);
    assert_eq!((page.class, page.sets_aside()), (Class::Unrecognised, false));
    let redirect = of_network(Network::BadAnswer);
    assert_eq!(
        (redirect.class, redirect.scope),
        (Class::Transient, Scope::Endpoint)
    );
    assert_eq!(of_network(Network::Proxy).scope, Scope::Route);
}

#[test]
fn b05_a_callers_status_without_an_error_of_any_api_is_no_answer() {
    let found = |kind, status, message: &'static str| {
        let answered = Answered {
            kind,
            wordless: message.is_empty(),
            message: Some(message).filter(|message| !message.is_empty()),
            ..seen(status)
        };
        let finding = find(&answered);
        (finding.class.letter(), finding.scope, finding.network)
    };
    let foreign = |letter| (letter, Scope::Endpoint, Some(Network::BadAnswer));
    let callers = ('C', Scope::Provider, None);
    let kind = ProviderKind::Anthropic;
    for (status, message) in [
        (400, ""),
        (404, ""),
        (405, ""),
        (422, ""),
        (404, "Not Found"),
        (405, "Method Not Allowed"),
        (404, "Invalid URL (POST /v1/v1/chat/completions)"),
    ] {
        assert_eq!(found(kind, status, message), foreign('T'), "{status} {message}");
    }
    // Too large is what servers say of their own accord.
    for (status, message) in [
        (413, ""),
        (414, ""),
        (431, ""),
        (400, "Not Found"),
        (404, "No such file"),
    ] {
        assert_eq!(found(kind, status, message), callers, "{status} {message}");
    }
    // Callers write the model into these paths.
    for kind in [
        ProviderKind::Gemini,
        ProviderKind::Vertex,
        ProviderKind::Bedrock,
        ProviderKind::AzureOpenai,
    ] {
        assert_eq!(found(kind, 404, ""), foreign('U'), "{kind:?}");
    }
}

#[test]
fn b07_only_transient_and_broken_answers_count_for_the_breaker() {
    let counting = Class::ALL.into_iter().filter(|class| class.counts_for_breaker());
    assert_eq!(counting.map(Class::letter).collect::<String>(), "TM");
    let next = Class::ALL.into_iter().filter(|class| class.tries_next());
    assert_eq!(next.map(Class::letter).collect::<String>(), "NKBROTU");
    let hidden = Class::ALL.into_iter().filter(|class| !class.may_be_shown());
    assert_eq!(hidden.map(Class::letter).collect::<String>(), "KBU");
}

#[test]
fn whose_fault_it_is_depends_on_whether_there_was_an_answer() {
    let told = |finding: Finding| (finding.category().as_str(), finding.error_class().as_str());
    assert_eq!(told(find(&seen(500))), ("server", "PROVIDER_ERROR"));
    assert_eq!(told(of_network(Network::Dns)), ("network", "SYSTEM_ERROR"));
    assert_eq!(told(find(&seen(402))), ("billing", "BILLING_ERROR"));
    assert_eq!(told(find(&seen(400))), ("client", "NON_RETRYABLE_CLIENT_ERROR"));
    assert_eq!(told(of_interruption()), ("network", "SYSTEM_ERROR"));
}

#[test]
fn classes_are_read_by_letter_and_name() {
    for class in Class::ALL {
        assert_eq!(Class::parse(class.as_str()), Some(class));
        assert_eq!(
            Class::parse(&class.letter().to_lowercase().to_string()),
            Some(class)
        );
    }
    assert_eq!(Class::parse("Z"), None);
}

#[test]
fn b09_the_most_particular_moment_counts_and_none_that_has_passed() {
    let wait = |hints, message| {
        let answer = Answered {
            hints,
            message,
            ..seen(429)
        };
        find(&answer).until.map(|at| at.0 - NOW.0)
    };
    let second = Some(Duration::from_secs(1));
    let hints = Hints {
        retry_after: second,
        delay: Some(Duration::from_secs(2)),
        reset_at: Some(NOW.plus_ms(60_000)),
        ..Hints::default()
    };
    let text = Some("Rate limit reached for x. Please try again in 1m3.5s.");
    assert_eq!(wait(hints, text), Some(1000));
    let without = Hints {
        retry_after: None,
        ..hints
    };
    assert_eq!(wait(without, text), Some(2000));
    let without = Hints {
        delay: None,
        ..without
    };
    assert_eq!(wait(without, text), Some(63_500));
    assert_eq!(wait(without, None), Some(60_000));
    let past = Hints {
        reset_at: Some(UnixMs(5)),
        ..Hints::default()
    };
    assert_eq!(wait(past, None), None);
    assert_eq!(find(&seen(429)).cooling, Some(Cooling::RATE_LIMITED));
}

#[test]
fn an_error_event_means_what_its_type_would_as_a_status() {
    let event = |kind_word, code| {
        let event = Answered {
            kind_word,
            code,
            ..seen(200)
        };
        of_event(&ErrorRules::default(), &event, NOW).class.letter()
    };
    assert_eq!(event(Some("overloaded_error"), None), 'O');
    assert_eq!(event(Some("api_error"), None), 'T');
    assert_eq!(event(Some("rate_limit_error"), None), 'R');
    assert_eq!(event(Some("invalid_request_error"), None), 'C');
    assert_eq!(event(Some("server_error"), Some("rate_limit_exceeded")), 'R');
    assert_eq!(event(None, Some("503")), 'T');
    assert_eq!(event(None, None), 'T');
}

fn rule(name: &str, priority: u32, class: Class) -> ErrorRule {
    ErrorRule {
        name: name.to_owned(),
        enabled: true,
        priority,
        kind: None,
        provider: None,
        status: None,
        pattern: Some(ErrorPattern {
            field: ErrorField::Message,
            text: ErrorText::Contains("QUOTA".to_owned()),
        }),
        class,
        replace: None,
    }
}

#[test]
fn g13_an_operators_rule_comes_before_the_table() {
    let answer = Answered {
        code: Some("insufficient_quota"),
        message: Some("You exceeded your current quota"),
        ..seen(429)
    };
    let decided = |rules: &[ErrorRule]| {
        let rules = ErrorRules::new(rules.iter().cloned().map(Arc::new));
        let finding = of_answer(&rules, &answer, NOW);
        (finding.class.letter(), finding.rule.map(|name| name.to_string()))
    };
    let (first, second) = (rule("z", 1, Class::Caller), rule("a", 2, Class::Overloaded));
    assert_eq!(decided(&[]), ('B', None));
    assert_eq!(
        decided(&[second.clone(), first.clone()]),
        ('C', Some("z".to_owned()))
    );
    let disabled = ErrorRule {
        enabled: false,
        ..first
    };
    assert_eq!(decided(&[disabled, second.clone()]), ('O', Some("a".to_owned())));
    let elsewhere = ErrorRule {
        provider: Some("other".to_owned()),
        ..second.clone()
    };
    let other_kind = ErrorRule {
        kind: Some(ProviderKind::Anthropic),
        ..second.clone()
    };
    let other_status = ErrorRule {
        status: Some(400),
        ..second
    };
    assert_eq!(decided(&[elsewhere, other_kind, other_status]), ('B', None));
}

#[test]
fn g13_a_rule_that_cannot_be_taken_is_refused_with_its_field() {
    let field = |change: fn(&mut ErrorRule)| {
        let mut rule = rule("x", 1, Class::Caller);
        change(&mut rule);
        rule.validate().map_err(|e| e.field)
    };
    let err = |field: &str| Err(field.to_owned());
    assert_eq!(field(|_| ()), Ok(()));
    assert_eq!(field(|r| r.pattern = None), err("pattern"));
    assert_eq!(field(|r| r.status = Some(200)), err("status"));
    assert_eq!(field(|r| r.class = Class::Interrupted), err("class"));
    let pattern = |text| {
        Some(ErrorPattern {
            field: ErrorField::Any,
            text,
        })
    };
    let mut broken = rule("x", 1, Class::Caller);
    for text in ["(", &"a{200}".repeat(60)] {
        broken.pattern = pattern(ErrorText::Regex(text.to_owned().into()));
        assert_eq!(broken.validate().unwrap_err().field, "pattern.text");
        assert!(!broken.matches(&Answered {
            message: Some("(a"),
            ..seen(400)
        }));
    }
    let replace = |status, body| {
        let mut rule = rule("x", 1, Class::Caller);
        rule.replace = Some(Replace { status, body });
        rule.validate().map_err(|e| e.field)
    };
    assert_eq!(replace(None, None), err("replace"));
    assert_eq!(replace(Some(700), None), err("replace.status"));
    assert_eq!(
        replace(None, Some(ReplaceBody::Json("[]".to_owned()))),
        err("replace.json")
    );
    assert_eq!(
        replace(Some(400), Some(ReplaceBody::Json("{}".to_owned()))),
        Ok(())
    );
}
