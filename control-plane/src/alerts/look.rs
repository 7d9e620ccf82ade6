//! From conditions to what is told.

use std::collections::BTreeMap;

use penstock_core::alert::{Event, Rule, Watch};
use penstock_core::time::UnixMs;
use penstock_store::{AlertRow, Looked, Notification};
use uuid::Uuid;

use super::Condition;

/// What has changed since the last look. Rules that were not looked at stay as they are.
pub(super) fn look(
    watched: &[AlertRow],
    conditions: Vec<Condition>,
    looked_at: &[Rule],
    now: UnixMs,
) -> Looked {
    let mut found: BTreeMap<(Rule, String), Condition> = conditions
        .into_iter()
        .map(|condition| ((condition.rule, condition.subject.clone()), condition))
        .collect();
    let mut looked = Looked::default();
    for row in watched.iter().filter(|row| looked_at.contains(&row.rule)) {
        let condition = found.remove(&(row.rule, row.subject.clone()));
        take(&mut looked, row, condition, now);
    }
    for ((rule, subject), condition) in found {
        let new = AlertRow {
            rule,
            subject,
            watch: Watch::default(),
            title: condition.title.clone(),
        };
        take(&mut looked, &new, Some(condition), now);
    }
    looked
}

fn take(looked: &mut Looked, row: &AlertRow, condition: Option<Condition>, now: UnixMs) {
    let (watch, event) = row.watch.look(condition.is_some(), now);
    if let Some(event) = event {
        looked
            .told
            .push(notification(row, event, condition.as_ref(), now));
    }
    if watch.is_over(now) {
        looked.over.push((row.rule, row.subject.clone()));
    } else if watch != row.watch {
        // What was told is recovered under the same words.
        let title = condition.map_or_else(|| row.title.clone(), |condition| condition.title);
        looked.watches.push(AlertRow {
            watch,
            title,
            ..row.clone()
        });
    }
}

fn notification(row: &AlertRow, event: Event, condition: Option<&Condition>, now: UnixMs) -> Notification {
    let (title, detail) = match condition {
        Some(condition) => (condition.title.clone(), condition.detail.clone()),
        None => {
            let since = row.watch.since.unwrap_or(now);
            (
                format!("Recovered: {}", row.title),
                format!("It began at {since}."),
            )
        }
    };
    Notification {
        id: Uuid::now_v7(),
        rule: row.rule,
        subject: row.subject.clone(),
        event,
        title,
        detail,
        at: now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn down() -> Condition {
        Condition {
            rule: Rule::ProviderDown,
            subject: "provider:1".to_owned(),
            title: "main is down".to_owned(),
            detail: "mend it".to_owned(),
        }
    }

    fn told(looked: &Looked) -> Vec<&str> {
        looked.told.iter().map(|told| told.title.as_str()).collect()
    }

    #[test]
    fn g11_trouble_is_told_once_and_its_end_in_the_same_words() {
        let at = |minute: i64| UnixMs(minute * 60_000);
        let all = Rule::ALL;
        let first = look(&[], vec![down()], &all, at(0));
        assert_eq!(told(&first), ["main is down"]);
        let again = look(&first.watches, vec![down()], &all, at(1));
        assert_eq!(again, Looked::default(), "nothing to write");
        let ended = look(&first.watches, Vec::new(), &all, at(2));
        assert_eq!(told(&ended), ["Recovered: main is down"]);
        let silent = look(&ended.watches, vec![down()], &all, at(3));
        assert_eq!(told(&silent), Vec::<&str>::new());
        let forgotten = look(&ended.watches, Vec::new(), &all, at(61));
        assert_eq!(forgotten.over, [(Rule::ProviderDown, "provider:1".to_owned())]);
    }

    #[test]
    fn g11_what_was_not_looked_at_has_not_recovered() {
        let first = look(&[], vec![down()], &Rule::ALL, UnixMs(0));
        assert_eq!(
            look(&first.watches, Vec::new(), &[Rule::Budget], UnixMs(1)),
            Looked::default()
        );
    }
}
