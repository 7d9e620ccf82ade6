//! What subjects have spent, and how far spools are delivered, agrees with the records at every moment.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_core::money::NanoUsd;
use penstock_core::time::UnixMs;
use penstock_core::usage::UsageRecord;
use penstock_store::{
    Baseline, BaselineQuestion, Delivered, MinuteSpend, Spend, SpendSpan, SpendSubject, SpoolMark,
};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::bench::{Bench, on_both};
use crate::build::*;

on_both!(
    d06_a_baseline_agrees_with_a_model_of_the_records,
    d06_spend_is_booked_at_admission,
    d06_a_mark_rises_with_its_batch_and_never_falls,
    d06_marks_and_sums_are_of_one_moment,
    d06_a_span_of_long_ago_is_exact_after_its_minutes_were_folded,
    d06_folding_while_usage_comes_in_loses_nothing,
    d06_minutes_are_told_in_order_from_the_beginning_of_the_span,
    a_subject_that_never_spent_has_spent_nothing,
);

const MINUTE: i64 = 60_000;
const DAY: i64 = 86_400_000;

/// A generator whose seed is in the failure's message.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn record(&mut self, n: u64) -> UsageRecord {
        let mut record = record(n);
        let small = |dice: &mut Self, n| u8::try_from(dice.below(n)).unwrap();
        let minutes = i64::try_from(self.below(3 * 1440)).unwrap() * MINUTE;
        record.started_at = UnixMs(NOW.0 - minutes + i64::try_from(self.below(120_000)).unwrap());
        let at = u128::try_from(record.started_at.0).unwrap();
        record.id.0 = Uuid::from_u128(at << 80 | 0x7000 << 64 | 0x8000 << 48 | u128::from(n));
        record.admitted_at = match self.below(3) {
            0 => None,
            _ => Some(UnixMs(
                record.started_at.0 + i64::try_from(self.below(240_000)).unwrap() - 120_000,
            )),
        };
        (record.user_id, record.key_id) = (user_id(small(self, 3)), key_id(small(self, 5)));
        record.provider_id = (self.below(4) > 0).then(|| provider_id(small(self, 2)));
        record.cost = match self.below(6) {
            0 => NanoUsd(0),
            1 => NanoUsd(-i64::try_from(self.below(500)).unwrap()),
            _ => NanoUsd(i64::try_from(self.below(1_000_000)).unwrap()),
        };
        record
    }
}

fn booked(record: &UsageRecord) -> i64 {
    record.admitted_at.unwrap_or(record.started_at).0
}

fn concerns(record: &UsageRecord, subject: SpendSubject) -> bool {
    match subject {
        SpendSubject::Key(id) => record.key_id == id,
        SpendSubject::User(id) => record.user_id == id,
        SpendSubject::Provider(id) => record.provider_id == Some(id),
    }
}

/// What the baseline must say.
fn model<'a>(
    records: impl Iterator<Item = &'a UsageRecord>,
    subject: SpendSubject,
    span: SpendSpan,
) -> Spend {
    let mut minutes: BTreeMap<i64, i64> = BTreeMap::new();
    let concerned = records.filter(|record| concerns(record, subject) && booked(record) >= span.from.0);
    for record in concerned {
        *minutes
            .entry(booked(record).div_euclid(MINUTE) * MINUTE)
            .or_default() += record.cost.0;
    }
    let spent = minutes.iter().filter(|(_, spent)| **spent != 0);
    let told = spent.map(|(minute, spent)| MinuteSpend {
        minute: UnixMs(*minute),
        spent: NanoUsd(*spent),
    });
    Spend {
        total: NanoUsd(minutes.values().sum()),
        minutes: match span.by_minute {
            true => told.collect(),
            false => Vec::new(),
        },
    }
}

fn subjects() -> impl Iterator<Item = SpendSubject> {
    let keys = (0..5).map(|n| SpendSubject::Key(key_id(n)));
    let users = (0..3).map(|n| SpendSubject::User(user_id(n)));
    keys.chain(users)
        .chain((0..2).map(|n| SpendSubject::Provider(provider_id(n))))
}

fn span(from: i64) -> SpendSpan {
    SpendSpan {
        from: UnixMs(from),
        by_minute: false,
    }
}

async fn ask(bench: &Bench, subject: SpendSubject, spans: &[SpendSpan]) -> Vec<Spend> {
    let question = BaselineQuestion {
        subject,
        spans: spans.to_vec(),
    };
    let baseline = bench.store.baseline(&[question]).await.unwrap();
    baseline.answers.into_iter().next().unwrap()
}

async fn d06_a_baseline_agrees_with_a_model_of_the_records(bench: Bench) {
    let seed = u64::try_from(Uuid::now_v7().as_u128() & u128::from(u64::MAX)).unwrap() | 1;
    let mut dice = Dice(seed);
    let mut sent: BTreeMap<u64, UsageRecord> = BTreeMap::new();
    for round in 0..12_u64 {
        // A part of it was sent before.
        let numbers = round * 40 - dice.below(30).min(round * 40)..round * 40 + 40;
        let mut batch = Vec::new();
        for n in numbers.clone() {
            let record = sent.entry(n).or_insert_with(|| dice.record(n));
            batch.push(record.clone());
        }
        bench
            .store
            .ingest_usage(&batch, delivered(numbers.end))
            .await
            .unwrap();
    }
    let questions: Vec<BaselineQuestion> = subjects()
        .map(|subject| BaselineQuestion {
            subject,
            spans: (0..8)
                .map(|i| SpendSpan {
                    from: match i {
                        0 => UnixMs(0),
                        1 => UnixMs(NOW.0 - NOW.0.rem_euclid(MINUTE)),
                        _ => UnixMs(NOW.0 - i64::try_from(dice.below(4 * 86_400_000)).unwrap()),
                    },
                    by_minute: i > 4,
                })
                .collect(),
        })
        .collect();
    for folded_to in [NOW, NOW.plus_ms(34 * 86_400_000)] {
        bench.store.fold_spend(folded_to).await.unwrap();
        let baseline = bench.store.baseline(&questions).await.unwrap();
        for (question, answer) in questions.iter().zip(&baseline.answers) {
            for (span, spend) in question.spans.iter().zip(answer) {
                let mut spend = spend.clone();
                let mut span = *span;
                if span.from.0 < folded_to.0 - 35 * DAY {
                    // Its minutes are gone; what it was in total is not.
                    span.by_minute = false;
                    spend.minutes.clear();
                }
                let expected = model(sent.values(), question.subject, span);
                let subject = question.subject;
                assert!(
                    spend == expected,
                    "seed {seed}, {subject:?}, {span:?}, folded to {folded_to}"
                );
            }
        }
    }
}

async fn d06_spend_is_booked_at_admission(bench: Bench) {
    let minute = NOW.0 - NOW.0.rem_euclid(MINUTE);
    let mut late = record(1);
    late.started_at = UnixMs(minute - 10);
    late.admitted_at = Some(UnixMs(minute));
    late.cost = NanoUsd(5);
    bench.store.ingest_usage(&[late], delivered(1)).await.unwrap();
    let spans = [span(minute), span(minute + 1)];
    let spends = ask(&bench, SpendSubject::User(user_id(1)), &spans).await;
    assert_eq!((spends[0].total, spends[1].total), (NanoUsd(5), NanoUsd(0)));
}

async fn d06_a_mark_rises_with_its_batch_and_never_falls(bench: Bench) {
    let marks = async || {
        let baseline = bench.store.baseline(&[]).await.unwrap();
        baseline
            .marks
            .into_iter()
            .map(|mark| mark.through)
            .collect::<Vec<_>>()
    };
    assert!(marks().await.is_empty());
    let batch: Vec<UsageRecord> = (0..10).map(record).collect();
    bench.store.ingest_usage(&batch, delivered(10)).await.unwrap();
    assert_eq!(marks().await, [10]);
    bench.store.ingest_usage(&batch[..5], delivered(5)).await.unwrap();
    assert_eq!(marks().await, [10], "a batch that is sent again");
    // All of them duplicates, or all malformed: they are acknowledged all the same.
    bench.store.ingest_usage(&batch, delivered(20)).await.unwrap();
    assert_eq!(marks().await, [20]);
    bench.store.ingest_usage(&[], delivered(21)).await.unwrap();
    assert_eq!(marks().await, [21]);
    let mut absurd = record(99);
    absurd.tokens.input = u64::MAX;
    bench.store.ingest_usage(&[absurd], delivered(22)).await.unwrap();
    assert_eq!(marks().await, [22]);
    bench
        .store
        .fold_spend(NOW.plus_ms(34 * 86_400_000))
        .await
        .unwrap();
    assert_eq!(marks().await, [22]);
    bench
        .store
        .fold_spend(NOW.plus_ms(36 * 86_400_000))
        .await
        .unwrap();
    assert!(marks().await.is_empty(), "a spool that is long gone");
}

/// Each spool's n-th record costs n, so that a mark tells what the sum must be.
async fn d06_marks_and_sums_are_of_one_moment(bench: Bench) {
    let replica = bench.another().await;
    let mut running = JoinSet::new();
    for spool in 0..4_u64 {
        let store = Arc::clone(if spool % 2 == 0 { &bench.store } else { &replica });
        running.spawn(async move {
            for first in (1..100).step_by(3) {
                // Overlaps with the one before it.
                let numbers = (first - 1).max(1)..first + 3;
                let batch: Vec<UsageRecord> = numbers
                    .clone()
                    .map(|n| UsageRecord {
                        cost: NanoUsd(i64::try_from(n).unwrap()),
                        ..record(spool * 1_000 + n)
                    })
                    .collect();
                let delivered = Delivered {
                    spool: Uuid::from_u128(spool.into()),
                    through: numbers.end - 1,
                    at: NOW,
                };
                store.ingest_usage(&batch, delivered).await.unwrap();
            }
        });
    }
    let question = BaselineQuestion {
        subject: SpendSubject::Key(key_id(1)),
        spans: vec![span(0), span(NOW.0 - DAY)],
    };
    let mut asked = 0;
    while !running.is_empty() {
        while running.try_join_next().is_some() {}
        let baseline = bench
            .store
            .baseline(std::slice::from_ref(&question))
            .await
            .unwrap();
        let expected: u64 = baseline
            .marks
            .iter()
            .map(|m| m.through * (m.through + 1) / 2)
            .sum();
        for spend in &baseline.answers[0] {
            assert_eq!(
                u64::try_from(spend.total.0).unwrap(),
                expected,
                "{:?}",
                baseline.marks
            );
        }
        asked += 1;
    }
    assert!(asked > 1);
    let end: Vec<SpoolMark> = bench.store.baseline(&[]).await.unwrap().marks;
    assert!(
        end.len() == 4 && end.iter().all(|mark| mark.through == 99),
        "{end:?}"
    );
    replica.close().await;
}

async fn d06_a_span_of_long_ago_is_exact_after_its_minutes_were_folded(bench: Bench) {
    let subject = SpendSubject::Provider(provider_id(1));
    let spread: Vec<UsageRecord> = (0..200)
        .map(|n| record(n * 1_234_567))
        .map(|mut record| {
            record.admitted_at = Some(record.started_at.plus_ms(777));
            record
        })
        .collect();
    bench.store.ingest_usage(&spread, delivered(200)).await.unwrap();
    let spans: Vec<SpendSpan> = (0..60).map(|i| span(NOW.0 + i * 4_000_001)).collect();
    let expected: Vec<Spend> = spans
        .iter()
        .map(|span| model(spread.iter(), subject, *span))
        .collect();
    let moved = bench
        .store
        .fold_spend(NOW.plus_ms(37 * 86_400_000))
        .await
        .unwrap();
    assert!(moved > 0);
    assert_eq!(ask(&bench, subject, &spans).await, expected);
    // A record that comes late counts too, before and after it is folded.
    let late = record(50 * 1_234_567 + 1);
    bench
        .store
        .ingest_usage(std::slice::from_ref(&late), delivered(201))
        .await
        .unwrap();
    let all: Vec<&UsageRecord> = spread.iter().chain([&late]).collect();
    let expected: Vec<Spend> = spans
        .iter()
        .map(|span| model(all.iter().copied(), subject, *span))
        .collect();
    assert_eq!(ask(&bench, subject, &spans).await, expected);
    bench
        .store
        .fold_spend(NOW.plus_ms(60 * 86_400_000))
        .await
        .unwrap();
    assert_eq!(ask(&bench, subject, &spans).await, expected);
    assert_eq!(
        bench
            .store
            .fold_spend(NOW.plus_ms(60 * 86_400_000))
            .await
            .unwrap(),
        0
    );
}

async fn d06_folding_while_usage_comes_in_loses_nothing(bench: Bench) {
    let replica = bench.another().await;
    let mut running = JoinSet::new();
    for n in 0..3_u64 {
        let store = Arc::clone(&bench.store);
        running.spawn(async move {
            for i in 0..30 {
                // Always the same few minutes.
                let batch: Vec<UsageRecord> = (0..4)
                    .map(|m| UsageRecord {
                        started_at: UnixMs(NOW.0 + i64::try_from(m).unwrap() * MINUTE),
                        cost: NanoUsd(1),
                        ..record(n * 1_000 + i * 10 + m)
                    })
                    .collect();
                store.ingest_usage(&batch, delivered(i)).await.unwrap();
            }
        });
    }
    while !running.is_empty() {
        while running.try_join_next().is_some() {}
        // One that meets too many batches goes on the next time.
        match replica.fold_spend(NOW.plus_ms(40 * 86_400_000)).await {
            Ok(_) => {}
            Err(error) => assert!(error.is_retryable(), "{error}"),
        }
    }
    replica.fold_spend(NOW.plus_ms(40 * 86_400_000)).await.unwrap();
    let spends = ask(
        &bench,
        SpendSubject::User(user_id(1)),
        &[span(0), span(NOW.0 - DAY)],
    )
    .await;
    assert_eq!((spends[0].total, spends[1].total), (NanoUsd(360), NanoUsd(360)));
    replica.close().await;
}

async fn d06_minutes_are_told_in_order_from_the_beginning_of_the_span(bench: Bench) {
    let minute = NOW.0 - NOW.0.rem_euclid(MINUTE);
    let at = |n: u64, at: i64, cost: i64| UsageRecord {
        started_at: UnixMs(at),
        cost: NanoUsd(cost),
        ..record(n)
    };
    let batch = [
        at(1, minute + 10, 1),
        at(2, minute + 20, 2),
        at(3, minute + 3 * MINUTE, 4),
        at(4, minute + MINUTE, 8),
        at(5, minute + 2 * MINUTE, 0),
    ];
    bench.store.ingest_usage(&batch, delivered(5)).await.unwrap();
    let asked = SpendSpan {
        from: UnixMs(minute + 11),
        by_minute: true,
    };
    let spends = ask(&bench, SpendSubject::Key(key_id(1)), &[asked]).await;
    let told: Vec<(i64, i64)> = spends[0]
        .minutes
        .iter()
        .map(|m| (m.minute.0 - minute, m.spent.0))
        .collect();
    assert_eq!(told, [(0, 2), (MINUTE, 8), (3 * MINUTE, 4)]);
    assert_eq!(spends[0].total, NanoUsd(14));
}

async fn a_subject_that_never_spent_has_spent_nothing(bench: Bench) {
    let spans = [span(0), span(NOW.0 - 1)];
    let spends = ask(&bench, SpendSubject::Key(key_id(9)), &spans).await;
    assert_eq!(spends, [Spend::default(), Spend::default()]);
    assert_eq!(ask(&bench, SpendSubject::Key(key_id(9)), &[]).await, []);
    assert_eq!(bench.store.baseline(&[]).await.unwrap(), Baseline::default());
}
