//! Whether `docs/metrics.md` says what a program shows.
//!
//! The page has tables with one metric a line: `name` as it is scraped, type, unit, labels. [`differences`] reads them
//! and a scrape of a registry in which every family has been touched, and tells what is in one and not in the other.
//! The prefix tells whose lines are compared, so that one page serves both planes.

use std::collections::{BTreeMap, BTreeSet};

/// Units that a name must end with, before `_total`.
const UNITS: [&str; 3] = ["seconds", "bytes", "nanousd"];

/// A metric as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Metric {
    kind: String,
    labels: BTreeSet<String>,
}

/// What the page's tables and the scrape tell differently, about metrics of which `ours` says that they are the
/// program's. Empty: the page is true.
pub fn differences(page: &str, scrape: &str, ours: impl Fn(&str) -> bool) -> Vec<String> {
    let (mut found, mut wrong) = (BTreeMap::new(), Vec::new());
    for line in page.lines().filter(|line| line.starts_with("| `penstock_")) {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let [_, name, kind, unit, labels, ..] = cells.as_slice() else {
            wrong.push(format!("this line has too few columns: {line}"));
            continue;
        };
        let name = name.trim_matches('`').to_owned();
        if !ours(&name) {
            continue;
        }
        wrong.extend(bad_unit(&name, unit));
        let metric = Metric {
            kind: (*kind).to_owned(),
            labels: labels
                .split(',')
                .map(|label| label.trim().trim_matches('`').to_owned())
                .filter(|label| !label.is_empty())
                .collect(),
        };
        if found.insert(name.clone(), metric).is_some() {
            wrong.push(format!("{name} is documented twice"));
        }
    }
    let shown = shown(scrape);
    for (name, metric) in &shown {
        match found.get(name) {
            None => wrong.push(format!("{name} ({metric:?}) is not documented")),
            Some(told) if told != metric => {
                wrong.push(format!("{name} is {metric:?}, documented as {told:?}"))
            }
            Some(_) => {}
        }
    }
    let gone = found.keys().filter(|name| !shown.contains_key(*name));
    wrong.extend(gone.map(|name| format!("{name} is documented and not shown")));
    wrong
}

/// The metrics of a scrape, by their names as queries write them.
fn shown(scrape: &str) -> BTreeMap<String, Metric> {
    let mut metrics = BTreeMap::<String, Metric>::new();
    let mut current = None;
    for line in scrape.lines() {
        if let Some(typed) = line.strip_prefix("# TYPE ") {
            let Some((family, kind)) = typed.split_once(' ') else {
                continue;
            };
            let name = match kind {
                "counter" => format!("{family}_total"),
                "info" => format!("{family}_info"),
                _ => family.to_owned(),
            };
            let metric = Metric {
                kind: kind.to_owned(),
                labels: BTreeSet::new(),
            };
            metrics.insert(name.clone(), metric);
            current = Some(name);
        } else if !line.starts_with('#')
            && let Some(metric) = current.as_ref().and_then(|name| metrics.get_mut(name))
        {
            metric.labels.extend(labels(line));
        }
    }
    metrics
}

/// The names of a sample's labels. Values in our samples have no braces and no quotes.
fn labels(sample: &str) -> impl Iterator<Item = String> {
    let inside = sample.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
    let pairs = inside.map_or("", |(pairs, _)| pairs).split("\",");
    pairs
        .filter_map(|pair| Some(pair.split_once('=')?.0.to_owned()))
        .filter(|name| name != "le")
}

fn bad_unit(name: &str, unit: &str) -> Option<String> {
    let bare = name.strip_suffix("_total").unwrap_or(name);
    let of_name = UNITS.into_iter().find(|unit| bare.ends_with(&format!("_{unit}")));
    let is_right = match of_name {
        Some(of_name) => of_name == unit,
        None => !UNITS.contains(&unit),
    };
    (!is_right).then(|| format!("{name} says its unit is {unit:?}; the name must end with it"))
}

/// Names of metrics that a text (a dashboard, an alert rule) asks for and the page does not have.
///
/// Parts of histograms are found by their histogram.
pub fn unknown(page: &str, text: &str) -> BTreeSet<String> {
    let known: BTreeSet<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(name, _)| name)
        .collect();
    let word = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let named = text.split(word).filter(|word| word.starts_with("penstock_"));
    named
        .filter(|name| {
            let parts = ["", "_bucket", "_sum", "_count"];
            !parts
                .iter()
                .any(|part| name.strip_suffix(part).is_some_and(|name| known.contains(name)))
        })
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "\
| name | type | unit | labels | what |
|---|---|---|---|---|
| `penstock_calls_total` | counter | calls | `dialect`, `status` | Calls |
| `penstock_wait_seconds` | histogram | seconds | | Waits |
| `penstock_build_info` | info | | `version` | Version |
";
    const SCRAPE: &str = "\
# HELP penstock_calls Calls.
# TYPE penstock_calls counter
penstock_calls_total{dialect=\"a,b\",status=\"200\"} 1
# TYPE penstock_wait_seconds histogram
# UNIT penstock_wait_seconds seconds
penstock_wait_seconds_sum 0.0
penstock_wait_seconds_bucket{le=\"+Inf\"} 1
# TYPE penstock_build info
penstock_build_info{version=\"1\"} 1
# EOF
";

    fn all(_: &str) -> bool {
        true
    }

    #[test]
    fn g07_a_page_that_says_what_is_shown_is_true() {
        assert_eq!(differences(PAGE, SCRAPE, all), Vec::<String>::new());
    }

    #[test]
    fn g07_what_is_missing_on_either_side_or_differs_is_told() {
        let less = SCRAPE
            .replace("# TYPE penstock_build info\n", "")
            .replace("penstock_build_info", "#");
        assert_eq!(
            differences(PAGE, &less, all),
            ["penstock_build_info is documented and not shown"]
        );
        let fewer = PAGE.replace("`dialect`, `status`", "`dialect`");
        assert!(differences(&fewer, SCRAPE, all)[0].starts_with("penstock_calls_total is Metric"));
        let none = differences("", SCRAPE, all);
        assert_eq!(none.len(), 3, "{none:?}");
        let unit = PAGE.replace("histogram | seconds", "histogram | ms");
        assert!(differences(&unit, SCRAPE, all)[0].contains("must end with it"));
    }

    #[test]
    fn g17_a_rule_names_only_metrics_that_there_are() {
        let rule = "rate(penstock_wait_seconds_bucket[5m]) > 1 and penstock_gone_total > 0";
        let unknown: Vec<_> = unknown(PAGE, rule).into_iter().collect();
        assert_eq!(unknown, ["penstock_gone_total"]);
    }

    /// Every file below the directory.
    fn files(directory: &std::path::Path) -> Vec<std::path::PathBuf> {
        let entries = std::fs::read_dir(directory).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
            .collect()
    }

    #[test]
    fn g17_alert_rules_and_dashboards_name_only_metrics_that_there_are() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let page = std::fs::read_to_string(root.join("docs/metrics.md")).unwrap();
        let mut texts = vec![root.join("docs/alerts.yaml"), root.join("docs/observability.md")];
        texts.extend(files(&root.join("helm")));
        for path in texts {
            let text = std::fs::read_to_string(&path).unwrap();
            let unknown = unknown(&page, &text);
            assert!(
                unknown.is_empty(),
                "{}: {unknown:?} are not in docs/metrics.md",
                path.display()
            );
        }
    }
}
