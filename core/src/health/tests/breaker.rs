use super::*;

const OPEN: Standing = Standing::Open {
    until: Some(UnixMs(START.0 + 1_800_000)),
};

fn tripped() -> Node {
    let mut node = Node::new("a");
    for _ in 0..5 {
        node.fails(1, Class::Transient);
    }
    node
}

#[test]
fn b07_a_call_that_began_before_neither_ends_a_row_of_failures_nor_is_a_trial() {
    let mut node = Node::new("a");
    let long_ago = Sent {
        at: node.now,
        trial: false,
    };
    node.after(MINUTE);
    for _ in 0..4 {
        node.fails(1, Class::Transient);
    }
    node.saw_of(long_ago, 1, MODEL, None);
    node.fails(1, Class::Transient);
    assert!(matches!(node.standing(), Standing::Open { .. }), "five in a row");
    node.after(30 * MINUTE);
    assert_eq!(node.standing(), Standing::HalfOpen);
    for _ in 0..2 {
        assert!(node.saw_of(long_ago, 1, MODEL, None).is_empty());
    }
    node.saw(1, MODEL, None);
    assert_eq!(node.standing(), Standing::HalfOpen, "one trial of two");
    node.saw(1, MODEL, None);
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b07_five_failures_in_a_row_open_for_half_an_hour() {
    let mut node = Node::new("a");
    for _ in 0..4 {
        assert!(node.fails(1, Class::Transient).is_empty());
        assert_eq!(node.standing(), Standing::Ready);
    }
    let changes = node.fails(1, Class::Interrupted);
    assert_eq!(node.standing(), OPEN);
    assert_eq!(changes.len(), 1);
    assert_eq!(
        changes[0].what.to_string(),
        "Circuit breaker is OPEN for provider"
    );
    assert!(
        changes[0].why.contains("5 failures in a row"),
        "{}",
        changes[0].why
    );
    node.after(30 * MINUTE - 1);
    assert_eq!(node.standing(), OPEN);
    node.after(1);
    assert_eq!(node.standing(), Standing::HalfOpen);
}

#[test]
fn b07_streams_that_a_restart_cuts_together_are_one_failure() {
    let mut node = Node::new("a");
    let long_ago = Sent {
        at: node.now,
        trial: false,
    };
    node.after(MINUTE);
    let cut = finding(Class::Interrupted);
    for who in 0..90 {
        node.saw_of(long_ago, who, MODEL, Some(&cut));
        node.after(1);
    }
    assert_eq!(node.standing(), Standing::Ready);
    assert_eq!(node.local.recent_failures(node.now), 1);
    for _ in 0..3 {
        node.fails(1, Class::Interrupted);
    }
    assert_eq!(node.standing(), Standing::Ready, "four");
    node.fails(2, Class::Interrupted);
    assert!(
        matches!(node.standing(), Standing::Open { .. }),
        "one after the other"
    );
}

#[test]
fn b07_answers_that_are_errors_count_each_also_when_they_come_together() {
    let mut node = Node::new("a");
    let at_once = Sent {
        at: node.now,
        trial: false,
    };
    for who in 0..5 {
        node.after(1);
        node.saw_of(at_once, who, MODEL, Some(&finding(Class::Transient)));
    }
    assert!(matches!(node.standing(), Standing::Open { .. }));
}

#[test]
fn b07_a_success_begins_the_row_anew() {
    let mut node = Node::new("a");
    for n in 0..20 {
        match n % 5 {
            4 => node.succeeds(1),
            _ => node.fails(1, Class::Transient),
        };
    }
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b07_two_trials_that_go_well_close_and_the_count_begins_anew() {
    let mut node = tripped();
    node.after(30 * MINUTE);
    let first = node.succeeds(2);
    assert_eq!((first.len(), node.standing()), (1, Standing::HalfOpen));
    let second = node.succeeds(3);
    assert_eq!(
        second[0].what.to_string(),
        "Circuit breaker is CLOSED for provider"
    );
    assert_eq!(node.standing(), Standing::Ready);
    for _ in 0..4 {
        node.fails(1, Class::Transient);
    }
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b07_a_trial_of_before_the_breaker_opened_anew_is_none() {
    let mut node = tripped();
    node.after(30 * MINUTE);
    let slow = Sent {
        at: node.now,
        trial: true,
    };
    node.after(1);
    node.fails(2, Class::Transient);
    node.after(30 * MINUTE);
    assert_eq!(node.standing(), Standing::HalfOpen);
    assert!(node.saw_of(slow, 1, MODEL, None).is_empty());
}

#[test]
fn b07_a_trial_that_fails_opens_again() {
    let mut node = tripped();
    node.after(30 * MINUTE);
    node.succeeds(2);
    let changes = node.fails(2, Class::Transient);
    assert!(changes[0].why.contains("a trial failed"), "{}", changes[0].why);
    let until = Some(node.now.plus_ms(30 * MINUTE));
    assert_eq!(node.standing(), Standing::Open { until });
    node.after(30 * MINUTE);
    node.succeeds(2);
    assert_eq!(node.standing(), Standing::HalfOpen, "it needs two again");
}

#[test]
fn b07_what_ends_while_it_is_open_began_earlier_and_changes_nothing() {
    let mut node = tripped();
    node.after(MINUTE);
    assert!(node.fails(2, Class::Transient).is_empty());
    assert!(node.succeeds(2).is_empty());
    assert_eq!(node.standing(), OPEN);
}

#[test]
fn b07_opening_takes_two_keys_when_two_used_the_provider_lately() {
    let mut node = Node::new("a");
    node.succeeds(2);
    for _ in 0..50 {
        node.fails(1, Class::Transient);
    }
    assert_eq!(node.standing(), Standing::Ready);
    node.fails(2, Class::Transient);
    assert!(matches!(node.standing(), Standing::Open { .. }));
}

#[test]
fn b07_one_key_opens_alone_when_nobody_else_used_it_for_five_minutes() {
    let mut node = Node::new("a");
    node.succeeds(2);
    node.after(5 * MINUTE);
    for _ in 0..5 {
        node.fails(1, Class::Transient);
    }
    assert!(matches!(node.standing(), Standing::Open { .. }));
}

#[test]
fn b07_mistakes_of_callers_and_unsupported_models_never_count() {
    let mut node = Node::new("a");
    let harmless = [
        Class::Caller,
        Class::TooLong,
        Class::Filtered,
        Class::ForeignState,
        Class::Unrecognised,
    ];
    for class in harmless.iter().cycle().take(1_000) {
        assert!(node.fails(1, *class).is_empty());
        assert!(node.fails(2, *class).is_empty());
    }
    node.saw(1, "no-such-model", Some(&finding(Class::NoModel)));
    assert_eq!(node.standing(), Standing::Ready);
    // Nor do they interrupt a row.
    for _ in 0..4 {
        node.fails(1, Class::Transient);
    }
    node.fails(2, Class::Caller);
    node.fails(2, Class::Transient);
    assert!(matches!(node.standing(), Standing::Open { .. }));
}

#[test]
fn b07_any_of_the_numbers_0_switches_it_off() {
    let on = BreakerSettings::default();
    let off = [
        BreakerSettings { failures: 0, ..on },
        BreakerSettings { open_ms: 0, ..on },
        BreakerSettings { successes: 0, ..on },
    ];
    for settings in off {
        let mut node = Node {
            settings,
            ..Node::new("a")
        };
        for who in 0..50 {
            node.fails(who, Class::Transient);
        }
        assert_eq!(node.standing(), Standing::Ready);
        let open = Node {
            settings,
            ..tripped()
        };
        assert_eq!(
            open.standing(),
            Standing::Ready,
            "one that was open lets all pass"
        );
    }
}

#[test]
fn b07_network_errors_count_unless_they_are_switched_off() {
    let network = failure::of_network(failure::Network::Refused);
    for counts in [true, false] {
        let mut node = Node::new("a");
        node.settings.network_errors = counts;
        for _ in 0..5 {
            node.saw(1, MODEL, Some(&network));
        }
        assert_eq!(node.standing() != Standing::Ready, counts);
    }
}

#[test]
fn b07_a_model_has_a_circuit_of_its_own_where_the_fault_is_the_models() {
    let mut node = Node::new("a");
    let of_model = Finding {
        scope: Scope::Model,
        ..finding(Class::Transient)
    };
    for _ in 0..5 {
        node.saw(1, MODEL, Some(&of_model));
    }
    assert_eq!(node.standing(), OPEN);
    assert_eq!(node.standing_of("another"), Standing::Ready);
    node.after(30 * MINUTE);
    assert_eq!(node.state.trial_of(MODEL, &node.settings, node.now), Some(MODEL));
    node.succeeds(1);
    node.succeeds(1);
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b07_an_endpoint_or_a_route_is_the_providers_and_never_the_credentials() {
    let mut node = Node::new("a");
    for scope in [
        Scope::Route,
        Scope::Endpoint,
        Scope::Route,
        Scope::Route,
        Scope::Route,
    ] {
        node.saw(
            1,
            MODEL,
            Some(&Finding {
                scope,
                ..finding(Class::Credential)
            }),
        );
    }
    assert_eq!(node.standing(), OPEN);
    node.after(30 * MINUTE);
    assert_eq!(node.state.trial_of(MODEL, &node.settings, node.now), None);
}

#[test]
fn b08_forced_open_stays_whatever_requests_do_until_its_moment() {
    let mut node = Node::new("a");
    let maker = mark::Maker {
        by: "ann",
        why: "maintenance",
        now: node.now,
    };
    node.state = node.state.forced_open("", Some(node.now.plus_ms(MINUTE)), maker);
    node.succeeds(1);
    for _ in 0..9 {
        node.fails(1, Class::Transient);
    }
    let until = Some(START.plus_ms(MINUTE));
    assert_eq!(node.standing(), Standing::Open { until });
    node.after(MINUTE);
    assert_eq!(node.standing(), Standing::Ready);
    node.state = node.state.forced_open("", None, maker);
    node.after(1_000_000 * MINUTE);
    assert_eq!(node.standing(), Standing::Open { until: None });
    node.state = node.state.reset();
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b08_a_reset_begins_the_count_anew() {
    let mut node = Node::new("a");
    for _ in 0..4 {
        node.fails(1, Class::Transient);
    }
    node.state = node.state.reset();
    node.fails(1, Class::Transient);
    assert_eq!(node.standing(), Standing::Ready);
}
