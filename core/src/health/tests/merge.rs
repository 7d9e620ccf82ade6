use proptest::prelude::*;

use super::*;

/// What three nodes and an operator did, and whose report reached whom.
#[derive(Clone, Copy, Debug)]
enum Step {
    Fails(usize, u8),
    Limited(usize),
    Refused(usize),
    Succeeds(usize),
    Hears(usize, usize),
    Resets(usize),
    Forces(usize),
    Waits(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let node = 0_usize..3;
    prop_oneof![
        8 => (node.clone(), 0_u8..3).prop_map(|(node, who)| Step::Fails(node, who)),
        2 => node.clone().prop_map(Step::Limited),
        1 => node.clone().prop_map(Step::Refused),
        2 => node.clone().prop_map(Step::Succeeds),
        2 => (node.clone(), node.clone()).prop_map(|(to, from)| Step::Hears(to, from)),
        1 => node.clone().prop_map(Step::Resets),
        1 => node.prop_map(Step::Forces),
        2 => (0_u64..40 * MINUTE).prop_map(Step::Waits),
    ]
}

/// Every state that any of them was ever in: each may be reported.
fn reports(steps: Vec<Step>) -> Vec<State> {
    let mut nodes = [Node::new("a"), Node::new("b"), Node::new("c")];
    let mut reports = Vec::new();
    for step in steps {
        match step {
            Step::Fails(node, who) => drop(nodes[node].fails(who, Class::Transient)),
            Step::Limited(node) => drop(nodes[node].fails(1, Class::RateLimited)),
            Step::Refused(node) => drop(nodes[node].fails(1, Class::Credential)),
            Step::Succeeds(node) => drop(nodes[node].succeeds(1)),
            Step::Hears(to, from) => {
                let said = nodes[from].state.clone();
                nodes[to].state.merge(&said);
            }
            Step::Resets(node) => nodes[node].state = nodes[node].state.reset(),
            Step::Forces(node) => {
                let maker = mark::Maker {
                    by: "ann",
                    why: "",
                    now: nodes[node].now,
                };
                nodes[node].state = nodes[node].state.forced_open("", None, maker);
            }
            Step::Waits(ms) => nodes.iter_mut().for_each(|node| node.after(ms)),
        }
        reports.extend(nodes.iter().map(|node| node.state.clone()));
    }
    reports.dedup();
    reports
}

fn merged<'a>(reports: impl IntoIterator<Item = &'a State>) -> State {
    let mut merged = State::default();
    for report in reports {
        merged.merge(report);
    }
    merged
}

proptest! {
    #[test]
    fn b08_reports_in_any_order_and_any_number_make_the_same_state(
        steps in prop::collection::vec(step(), 0..60),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..200),
    ) {
        let reports = reports(steps);
        let all = merged(&reports);
        prop_assert_eq!(&merged(reports.iter().rev()), &all);
        if !reports.is_empty() {
            let shuffled: Vec<_> = order.iter().map(|index| index.get(&reports)).collect();
            let twice = shuffled.iter().copied().chain(&reports).chain(shuffled.iter().copied());
            prop_assert_eq!(&merged(twice), &all);
            let halves = reports.split_at(order.len() % reports.len());
            prop_assert_eq!(&merged([&merged(halves.1), &merged(halves.0)]), &all, "also by way of others");
        }
        let mut again = all.clone();
        prop_assert!(!again.merge(&all));
    }

    #[test]
    fn b08_a_state_survives_being_written(steps in prop::collection::vec(step(), 0..40)) {
        let state = merged(&reports(steps));
        let text = serde_json::to_string(&state).unwrap();
        prop_assert_eq!(serde_json::from_str::<State>(&text).unwrap(), state);
    }
}

fn tripped(name: &'static str) -> Node {
    let mut node = Node::new(name);
    for _ in 0..5 {
        node.fails(1, Class::Transient);
    }
    node
}

#[test]
fn b08_a_reset_wins_over_reports_from_before_it() {
    let tripped = tripped("a").state;
    let mut state = tripped.reset();
    assert!(!state.merge(&tripped));
    assert!(state.entries.is_empty());
    let mut late = tripped;
    assert!(late.merge(&state));
    assert_eq!(late, state);
}

#[test]
fn b08_who_knows_the_other_report_comes_after_it_whatever_the_clocks_say() {
    let ahead = tripped("ahead");
    let mut behind = Node::new("behind");
    behind.state.merge(&ahead.state);
    // Its clock is half an hour behind, and its circuit has been open long enough by a later word.
    behind.settings.open_ms = 1;
    behind
        .state
        .entry_mut("")
        .unwrap()
        .circuit
        .as_mut()
        .unwrap()
        .value = Circuit::Trying { successes: 1 };
    behind.now = UnixMs(START.0 - 1_800_000);
    behind.succeeds(1);
    let mut merged = ahead.state;
    merged.merge(&behind.state);
    assert_eq!(
        merged.entry("").unwrap().circuit.as_ref().unwrap().value,
        Circuit::Closed
    );
}

#[test]
fn b09_what_is_in_force_outlasts_newer_marks_that_are_not() {
    let mut node = Node::new("a");
    node.saw(1, "limited", Some(&limited(START.plus_ms(3_600_000))));
    for n in 0..300 {
        node.after(1);
        node.saw(1, &format!("model-{n}"), Some(&limited(node.now.plus_ms(1))));
    }
    assert!(node.state.entries.len() <= state::MAX_MODELS + 1);
    assert!(matches!(node.standing_of("limited"), Standing::Cooling { .. }));
}

fn limited(until: UnixMs) -> Finding {
    Finding {
        until: Some(until),
        ..finding(Class::RateLimited)
    }
}

#[test]
fn b08_an_explanation_is_one_line_whatever_a_provider_said() {
    let mut node = Node::new("a");
    let maker = crate::health::mark::Maker {
        by: "a",
        why: &"no\0t\n now\u{9b}2J ".repeat(60),
        now: node.now,
    };
    let entry = node.state.entry_mut("").unwrap();
    maker.mark(&mut entry.circuit, Circuit::Closed);
    let why = &entry.circuit.as_ref().unwrap().why;
    assert!(why.starts_with("no t  now 2J no t") && why.len() <= 300, "{why}");
}

#[test]
fn ended_states_are_forgotten_after_a_day_and_not_before() {
    let mut node = Node::new("a");
    node.fails(1, Class::RateLimited);
    let mut state = node.state.clone();
    assert!(!state.fade(node.now.plus_ms(23 * 60 * MINUTE)));
    assert!(state.fade(node.now.plus_ms(25 * 60 * MINUTE)));
    assert!(state.entries.is_empty());
    let mut open = tripped("a").state;
    assert!(
        !open.fade(START.plus_ms(1_000 * 60 * MINUTE)),
        "half-open until a trial"
    );
}
