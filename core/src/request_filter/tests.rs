use super::*;

fn filter(part: Part, action: Action) -> RequestFilter {
    RequestFilter {
        name: "f".into(),
        enabled: true,
        priority: 1,
        provider: None,
        part,
        action,
    }
}

fn header(name: &str, action: Action) -> RequestFilter {
    filter(Part::Header(name.into()), action)
}

fn body(path: &str, action: Action) -> RequestFilter {
    filter(Part::Body(path.parse().unwrap()), action)
}

fn replace(find: Find, with: &str) -> Action {
    Action::Replace {
        find,
        with: with.into(),
    }
}

fn problem(filter: &RequestFilter) -> String {
    filter.validate().unwrap_err().to_string()
}

fn replaced(action: Action, text: &str) -> String {
    let filter = body("**", action);
    assert_eq!(filter.validate(), Ok(()));
    let filters = RequestFilters::new([Arc::new(filter)]);
    let compiled = filters.of("any").next().unwrap();
    compiled.replace(text).into_owned()
}

#[test]
fn g12_what_penstock_decides_by_cannot_be_filtered() {
    for name in ["authorization", "X-Api-Key", "host", "content-length"] {
        assert!(
            problem(&header(name, Action::Remove)).contains("set by Penstock"),
            "{name}"
        );
    }
    for path in ["model", "stream", "stream_options.include_usage"] {
        assert!(
            problem(&body(path, Action::Remove)).contains("cannot be filtered"),
            "{path}"
        );
    }
    assert!(problem(&body("*", Action::Remove)).contains("name the member"));
}

#[test]
fn g12_what_makes_no_sense_is_refused_with_its_field() {
    assert!(problem(&header("x y", Action::Remove)).starts_with("header:"));
    assert!(problem(&header("x", Action::Set("a\nb".into()))).starts_with("set:"));
    assert!(problem(&body("a", Action::Set("{".into()))).starts_with("set:"));
    assert!(problem(&body("a.**", Action::Remove)).contains("only be replaced"));
    for everywhere in ["x*", "(a|)", "a?"] {
        let found = problem(&body("a", replace(Find::Regex(everywhere.into()), "b")));
        assert!(
            found.starts_with("replace.find: matches the empty text"),
            "{found}"
        );
    }
    assert!(problem(&body("a", replace(Find::Regex("(".into()), ""))).starts_with("replace.find:"));
    assert!(problem(&body("a", replace(Find::Text(String::new()), ""))).starts_with("replace.find:"));
    for path in ["", "a..b", "a.**.b", "a*", &"a.".repeat(40)] {
        assert!(path.parse::<BodyPath>().is_err(), "{path}");
    }
    let path: BodyPath = "messages.*.content.0.text".parse().unwrap();
    assert_eq!(path.to_string(), "messages.*.content.0.text");
}

#[test]
fn g12_text_is_replaced_wherever_it_stands() {
    let acme = || replace(Find::Text("ACME".into()), "the company");
    assert_eq!(replaced(acme(), "ACME and ACME"), "the company and the company");
    assert_eq!(replaced(acme(), "acme"), "acme");
    let digits = || replace(Find::Regex(r"(\w+)@example\.org".into()), "$1@…");
    assert_eq!(
        replaced(digits(), "ann@example.org, bob@example.org!"),
        "ann@…, bob@…!"
    );
    assert_eq!(replaced(digits(), "nobody"), "nobody");
    assert_eq!(replaced(replace(Find::Regex("^".into()), "> "), "x"), "> x");
}

#[test]
fn g12_a_text_that_would_explode_becomes_the_replacement() {
    let long = "a".repeat(100_000);
    let with = "b".repeat(4096);
    assert_eq!(replaced(replace(Find::Text("a".into()), &with), &long), with);
    assert_eq!(replaced(replace(Find::Regex("a".into()), &with), &long), with);
}

#[test]
fn g12_filters_have_an_order_and_a_provider() {
    let named = |name: &str, priority, provider: Option<&str>, enabled| {
        Arc::new(RequestFilter {
            name: name.into(),
            priority,
            enabled,
            provider: provider.map(str::to_owned),
            ..header("x-a", Action::Remove)
        })
    };
    let filters = RequestFilters::new([
        named("late", 9, None, true),
        named("b", 1, Some("main"), true),
        named("a", 1, None, true),
        named("off", 0, None, false),
    ]);
    let of = |provider| -> Vec<&str> { filters.of(provider).map(|f| f.filter.name.as_str()).collect() };
    assert_eq!(of("main"), ["a", "b", "late"]);
    assert_eq!(of("other"), ["a", "late"]);
}
