use super::*;
use crate::health::credential::{Credential, PROBE_EVERY_MS};

fn aside(why: SetAside, ms: Option<u64>) -> Standing {
    let until = ms.map(|ms| START.plus_ms(ms));
    Standing::SetAside { why, until }
}

#[test]
fn b09_a_rate_limit_cools_the_model_and_no_other() {
    let mut node = Node::new("a");
    node.fails(1, Class::RateLimited);
    let until = START.plus_ms(60_000);
    assert_eq!(node.standing(), Standing::Cooling { until });
    assert_eq!(node.standing_of("another"), Standing::Ready);
    node.after(60_000);
    assert_eq!(node.standing(), Standing::Ready);
    node.fails(1, Class::RateLimited);
    // Doubled, and one failure was before.
    assert_eq!(
        node.standing(),
        Standing::Cooling {
            until: node.now.plus_ms(144_000)
        }
    );
}

#[test]
fn b09_an_overload_cools_ten_seconds_and_a_stated_moment_is_obeyed() {
    let mut node = Node::new("a");
    node.fails(1, Class::Overloaded);
    assert_eq!(
        node.standing(),
        Standing::Cooling {
            until: START.plus_ms(10_000)
        }
    );
    let stated = Finding {
        until: Some(START.plus_ms(3_000)),
        ..finding(Class::RateLimited)
    };
    node.saw(1, MODEL, Some(&stated));
    assert_eq!(
        node.standing(),
        Standing::Cooling {
            until: START.plus_ms(3_000)
        }
    );
}

#[test]
fn b09_a_model_that_is_not_there_is_set_aside_only_when_it_is_known_at_all() {
    let mut node = Node::new("a");
    node.fails(1, Class::NoModel);
    assert_eq!(node.standing(), aside(SetAside::NoModel, Some(10 * MINUTE)));
    let seen = Seen {
        sent: node.now,
        model: "invented",
        known_model: false,
        key: key(1),
        settings: &node.settings,
        by: "a",
        now: node.now,
    };
    assert!(
        node.local
            .failed(&node.state, &seen, &finding(Class::NoModel))
            .is_none()
    );
    node.after(10 * MINUTE);
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b09_money_that_is_gone_sets_aside_until_the_stated_date_else_an_hour() {
    let mut node = Node::new("a");
    node.fails(1, Class::Billing);
    assert_eq!(node.standing(), aside(SetAside::Billing, Some(60 * MINUTE)));
    let month = 30 * 24 * 60 * MINUTE;
    let dated = Finding {
        until: Some(START.plus_ms(month)),
        ..finding(Class::Billing)
    };
    node.saw(1, "another", Some(&dated));
    assert_eq!(node.standing(), aside(SetAside::Billing, Some(month)));
    assert!(node.fails(1, Class::Billing).is_empty());
    node.saw(
        1,
        MODEL,
        Some(&Finding {
            permanent: true,
            ..finding(Class::Billing)
        }),
    );
    assert_eq!(node.standing(), aside(SetAside::Billing, None));
    node.state = node.state.with_new_credential();
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn b09_a_refused_credential_is_set_aside_at_once_and_failed_by_its_probe() {
    let mut node = Node::new("a");
    let changes = node.fails(1, Class::Credential);
    assert_eq!(changes[0].what.as_str(), "credential_suspect");
    assert_eq!(node.standing(), aside(SetAside::Credential, Some(30_000)));
    assert!(
        node.fails(2, Class::Credential).is_empty(),
        "what fails together is one"
    );
    assert!(node.succeeds(2).is_empty(), "it began earlier");
    let failed = Credential::Suspect { until: START }
        .probed(false, node.now)
        .unwrap();
    assert_eq!(
        failed,
        Credential::Failed {
            probe_at: START.plus_ms(PROBE_EVERY_MS)
        }
    );
    assert_eq!(failed.refused(false, node.now), None);
    assert_eq!(failed.probed(true, node.now), Some(Credential::Accepted));
}

#[test]
fn b09_a_suspicion_that_nobody_probed_ends_by_itself() {
    let mut node = Node::new("a");
    node.fails(1, Class::Credential);
    node.after(30_000);
    assert_eq!(node.standing(), Standing::Ready);
    assert_eq!(node.succeeds(1)[0].what.as_str(), "credential_accepted");
}

#[test]
fn b09_a_credential_that_is_refused_for_good_waits_for_an_operator() {
    let mut node = Node::new("a");
    node.saw(
        1,
        MODEL,
        Some(&Finding {
            permanent: true,
            ..finding(Class::Credential)
        }),
    );
    node.after(1_000_000 * MINUTE);
    assert_eq!(node.standing(), aside(SetAside::Credential, None));
    node.state = node.state.with_new_credential();
    assert_eq!(node.standing(), Standing::Ready);
}

#[test]
fn the_obstacle_that_ends_last_is_the_answer() {
    let mut node = Node::new("a");
    for _ in 0..5 {
        node.fails(1, Class::Transient);
    }
    node.fails(1, Class::RateLimited);
    assert_eq!(
        node.standing(),
        Standing::Open {
            until: Some(START.plus_ms(30 * MINUTE))
        }
    );
    let late = Finding {
        until: Some(START.plus_ms(40 * MINUTE)),
        ..finding(Class::RateLimited)
    };
    node.saw(1, MODEL, Some(&late));
    assert_eq!(
        node.standing(),
        Standing::Cooling {
            until: START.plus_ms(40 * MINUTE)
        }
    );
    node.after(35 * MINUTE);
    assert_eq!(node.standing_of("another"), Standing::HalfOpen);
    assert!(
        matches!(node.standing(), Standing::Cooling { .. }),
        "no trial of what cools down"
    );
}

#[test]
fn models_are_bounded_and_the_oldest_go() {
    let mut node = Node::new("a");
    for n in 0..300 {
        node.after(1);
        node.saw(1, &format!("model-{n}"), Some(&finding(Class::RateLimited)));
    }
    assert!(
        node.state.entries.len() <= state::MAX_MODELS + 1,
        "{}",
        node.state.entries.len()
    );
    assert_eq!(node.standing_of("model-0"), Standing::Ready);
    assert!(matches!(node.standing_of("model-299"), Standing::Cooling { .. }));
    node.saw(1, &"x".repeat(300), Some(&finding(Class::RateLimited)));
    assert_eq!(node.standing_of(&"x".repeat(300)), Standing::Ready);
}
