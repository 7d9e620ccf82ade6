//! P4: as many streams as C6 promises, held open at once: CPU time per event and memory per stream beside nginx's, and that
//! all are served. Then callers who stop reading: what is held for each is bounded, and they too get the whole.
//!
//! Twenty events a second on each of 10 000 streams are more than fake and load generator can do beside what is measured,
//! so all streams together have [`EVENTS_PER_SECOND`]: with up to 500 streams twenty each, with more of them less. What
//! is measured is just started each time, so its memory is that of the streams. Kernel memory is not in it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use tokio::time::{Instant, sleep};

use super::{Bench, Mark};
use crate::body;
use crate::load::hold::{Held, Plan, Served};
use crate::report::{Bound, Row, Series, micros, progress};
use crate::stand::{Fresh, Way};

/// Of all streams together.
const EVENTS_PER_SECOND: u32 = 10_000;
const MOST_EACH: u32 = 20;
/// Streams that begin in a second.
const BEGIN: u32 = 1_000;
/// For the last streams to begin, and for everything to come to rest.
const SLACK: Duration = Duration::from_secs(5);
/// A part of the stream's events would be too few: windows of this many spans.
const SPANS: u32 = 5;
const SLOW_READERS: u32 = 50;
/// More than kernels keep on the way from the provider to a caller who does not read.
const SLOW: &str = "chunks=4000 chunk-bytes=4000";

/// One measurement of streams.
#[derive(Clone, Copy, Debug)]
struct Figures {
    events: f64,
    time: Duration,
    cpu: Duration,
    /// Bytes for each stream, resident.
    memory: f64,
    /// The same for each reader who stopped.
    slow: f64,
    failed: u32,
}

pub(super) async fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let mut ways = bench.proxies();
    let (mut nginx, mut data) = (Vec::new(), Vec::new());
    for round in 1..=bench.rounds {
        for way in &ways {
            let title = format!("P4 round {round} of {}, {}", bench.rounds, way.name());
            let figures = once(bench, *way, &title).await.context(title.clone())?;
            let of = if way.is_ours() { &mut data } else { &mut nginx };
            of.push(figures);
        }
        ways.rotate_left(1);
    }
    rows(bench.streams, &data, &nginx)
}

async fn once(bench: &Bench<'_>, way: Way, title: &str) -> Result<Figures> {
    let mut figures = streams(bench, way, title).await?;
    let (slow, failed) = slow_readers(bench, way, title).await?;
    figures.slow = slow;
    figures.failed += failed;
    Ok(figures)
}

async fn streams(bench: &Bench<'_>, way: Way, title: &str) -> Result<Figures> {
    let (fresh, ramp) = (
        rested(bench, way).await?,
        Duration::from_secs(1) * bench.streams / BEGIN,
    );
    let (pace, window) = (pace(bench.streams), bench.span * SPANS);
    progress(&format!("{title}, {} streams", bench.streams));
    let length = ramp + SLACK + window;
    let chunks = length.as_millis().div_ceil(pace.as_millis().max(1));
    let words = format!("pace={} chunks={chunks} chunk-bytes=20", pace.as_millis());
    let target = bench.stand.streams(&fresh, &body::streamed(&words)?)?;
    let (activity, empty) = (
        bench.stand.activity_with(&[fresh.meter()])?,
        fresh.meter().memory()?,
    );
    let held = Held::begin(
        &target,
        Plan {
            streams: bench.streams,
            ramp,
            slow: false,
        },
    );
    held.flowing(SLACK).await?;
    let (events, cpu, begun) = (held.events(), fresh.meter().read()?, Instant::now());
    sleep(window).await;
    let time = begun.elapsed();
    let cpu = fresh.meter().read()?.since(cpu);
    let events = held.events() - events;
    let memory = fresh.meter().memory()?.saturating_sub(empty);
    let early = held.ended();
    bench.others_used(
        title,
        bench
            .stand
            .activity_with(&[fresh.meter()])?
            .others_since(&activity),
    );
    ensure!(
        early * 1000 <= bench.streams,
        "{early} streams ended while they were measured"
    );
    let failed = serve(bench, way, title, held).await?;
    Ok(Figures {
        events: count(events),
        time,
        cpu,
        memory: count(memory) / f64::from(bench.streams),
        slow: 0.0,
        failed,
    })
}

/// Memory for each reader who stopped, and how many did not get the whole in the end.
async fn slow_readers(bench: &Bench<'_>, way: Way, title: &str) -> Result<(f64, u32)> {
    let fresh = rested(bench, way).await?;
    progress(&format!("{title}, {SLOW_READERS} callers who do not read"));
    let target = bench.stand.streams(&fresh, &body::streamed(SLOW)?)?;
    let empty = fresh.meter().memory()?;
    let plan = Plan {
        streams: SLOW_READERS,
        ramp: Duration::ZERO,
        slow: true,
    };
    let held = Held::begin(&target, plan);
    held.flowing(SLACK * 2).await?;
    sleep(SLACK).await;
    let memory = fresh.meter().memory()?.saturating_sub(empty);
    ensure!(held.ended() == 0, "answers that nobody reads have arrived");
    let failed = serve(bench, way, title, held).await?;
    Ok((count(memory) / f64::from(SLOW_READERS), failed))
}

async fn rested(bench: &Bench<'_>, way: Way) -> Result<Fresh> {
    let fresh = bench.stand.fresh(way).await?;
    bench.stand.settle().await?;
    Ok(fresh)
}

/// Reads all to their ends, and waits for the ledger: what is not there yet would go with the fresh data plane. How many
/// failed.
async fn serve(bench: &Bench<'_>, way: Way, title: &str, held: Held) -> Result<u32> {
    let Served {
        whole,
        failed,
        first_failure,
    } = held.end().await?;
    if let Some(first) = first_failure {
        let note = format!("{title}: {failed} of {} streams failed: {first}", whole + failed);
        bench.notes.borrow_mut().push(note);
    }
    bench.stand.note_answered(way, u64::from(whole));
    bench.stand.ledger().await?;
    Ok(failed)
}

fn rows(streams: u32, data: &[Figures], nginx: &[Figures]) -> Result<Vec<Row>> {
    let of = |all: &[Figures], figure: fn(&Figures) -> f64| Series::new(all.iter().map(figure).collect());
    let ours = |figure| of(data, figure).context("the data plane was not measured");
    let each = f64::from(EVENTS_PER_SECOND) / f64::from(streams.max(1));
    let each = each.min(f64::from(MOST_EACH));
    let rate = ours(|figures| figures.events / figures.time.as_secs_f64())?.median;
    let served = match data.iter().map(|figures| figures.failed).sum() {
        0_u32 => "all served".to_owned(),
        failed => format!("{failed} failed"),
    };
    let cpu: fn(&Figures) -> f64 = |figures| micros(figures.cpu) / figures.events;
    let work = format!("{streams} streams at once, {each:.1} events/s each");
    Ok(vec![
        Row::new(Mark::P4, format!("{work}: CPU per event"), ours(cpu)?)
            .beside("nginx", of(nginx, cpu))
            .detail(format!("{rate:.0} events/s, {served}"))
            .goal(Bound::Ratio(2.0)),
        Row::new(
            Mark::P4,
            format!("{work}: memory per stream"),
            ours(|figures| figures.memory)?,
        )
        .in_bytes()
        .beside("nginx", of(nginx, |figures| figures.memory))
        .goal(Bound::Bytes(24.0 * 1024.0)),
        Row::new(
            Mark::P4,
            format!("{SLOW_READERS} callers who do not read 16 MB: memory for each"),
            ours(|figures| figures.slow)?,
        )
        .in_bytes()
        .beside("nginx", of(nginx, |figures| figures.slow))
        .goal(Bound::Bytes(256.0 * 1024.0)),
    ])
}

/// Between two events of one stream.
fn pace(streams: u32) -> Duration {
    let spread = Duration::from_secs(1) * streams / EVENTS_PER_SECOND;
    spread.max(Duration::from_secs(1) / MOST_EACH)
}

fn count(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::MAX, f64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_streams_have_twenty_events_a_second_and_many_share_ten_thousand() {
        let millis = |streams| pace(streams).as_millis();
        assert_eq!(
            (millis(1), millis(500), millis(1_000), millis(10_000)),
            (50, 50, 100, 1_000)
        );
    }

    #[test]
    fn without_nginx_there_are_figures_and_no_ratio() {
        let figures = Figures {
            events: 100_000.0,
            time: Duration::from_secs(10),
            cpu: Duration::from_secs(1),
            memory: 20_480.0,
            slow: 100.0 * 1024.0,
            failed: 0,
        };
        let rows = rows(10_000, &[figures], &[]).unwrap();
        let cells: Vec<_> = rows.iter().map(Row::cells).collect();
        assert_eq!(cells[0][2], "10 µs");
        assert!(cells[0][1].contains("1.0 events/s each: CPU per event (10000 events/s, all served)"));
        assert_eq!(
            (cells[1][2].as_str(), cells[1][7].as_str()),
            ("20 KB", "≤ 24 KB, reached")
        );
        assert_eq!(cells[2][2], "100 KB");
    }
}
