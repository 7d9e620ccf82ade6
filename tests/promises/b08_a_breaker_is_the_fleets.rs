//! B7 and B8: a breaker that trips on one data plane is open on all, one trial in the whole fleet decides on its closing,
//! restarts neither lose nor clear it, and an operator's reset closes it everywhere.

use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::join_all;
use penstock_fake_provider::{Behaviour, Gate};
use penstock_tests::{Redis, Stack, anthropic_body};
use tokio::time::{Instant, sleep_until};

const OPEN: Duration = Duration::from_secs(6);

struct Fleet {
    stack: Stack,
    key: String,
    _redis: Redis,
    _folder: tempfile::TempDir,
}

impl Fleet {
    async fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let redis = Redis::start(folder.path()).await?;
        let url = redis.url();
        let stack = Stack::builder()
            .control_planes(2)
            .data_planes(3)
            .data_plane_flags(&["--redis-url", &url, "--redis-timeout", "5s"])
            .start()
            .await?;
        let key = stack.prepare()?;
        let open = format!("{}s", OPEN.as_secs());
        let update = ["provider", "update", "claude", "--breaker-open", &open];
        stack.cli(0).run(&update)?;
        stack.synced().await?;
        Ok(Self {
            stack,
            key,
            _redis: redis,
            _folder: folder,
        })
    }

    /// Status and body of one call through this data plane.
    async fn call(&self, data: usize) -> Result<(u16, String)> {
        let body = anthropic_body("hello", false);
        let answer = self.stack.messages(data, &self.key, &body).await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// Five calls fail on data plane 0. When the last of them had ended.
    async fn trip(&self) -> Result<Instant> {
        self.stack.fake.set_default(Behaviour::status(500));
        for (status, body) in join_all((0..5).map(|_| self.call(0)))
            .await
            .into_iter()
            .collect::<Result<Vec<_>>>()?
        {
            ensure!(status == 500, "{status} {body}");
        }
        Ok(Instant::now())
    }

    /// The gauge of the provider's breaker on this data plane.
    async fn breaker(&self, data: usize) -> Result<Option<u8>> {
        let url = format!("{}/metrics", self.stack.data[data].admin_url);
        let text = self.stack.http.get(url).send().await?.text().await?;
        let line = text
            .lines()
            .find(|line| line.starts_with("penstock_breaker_state{provider=\"claude\""));
        Ok(line.and_then(|line| line.rsplit(' ').next()?.parse().ok()))
    }

    /// Waits until the breaker is so on all data planes. It takes well under the second that is promised; a machine that
    /// runs other tests besides gets more.
    async fn everywhere(&self, state: u8, since: Instant) -> Result<()> {
        for data in 0..3 {
            while self.breaker(data).await? != Some(state) {
                ensure!(
                    since.elapsed() < Duration::from_secs(10),
                    "data plane {data}: not {state} in time"
                );
            }
        }
        Ok(())
    }

    /// Each data plane refuses, and nothing reaches the provider.
    async fn refused_everywhere(&self) -> Result<()> {
        let before = self.stack.fake.request_count();
        for data in 0..3 {
            let (status, body) = self.call(data).await?;
            ensure!(status == 503, "data plane {data}: {status} {body}");
            ensure!(body.contains("Circuit breaker is OPEN"), "{body}");
        }
        ensure!(
            self.stack.fake.request_count() == before,
            "the provider was asked"
        );
        Ok(())
    }

    fn state(&self) -> Result<String> {
        let listed = self
            .stack
            .cli(1)
            .json(&["breaker", "list", "--provider", "claude"])?;
        Ok(listed["items"][0]["state"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }
}

#[tokio::test]
async fn b08_a_trip_on_one_data_plane_is_in_force_on_all_and_one_trial_closes_it() -> Result<()> {
    let fleet = Fleet::start().await?;
    let tripped = fleet.trip().await?;
    fleet.everywhere(2, tripped).await?;
    fleet.refused_everywhere().await?;
    assert_eq!(fleet.state()?, "open");

    sleep_until(tripped + OPEN + Duration::from_millis(200)).await;
    let (gate, before) = (Gate::new(), fleet.stack.fake.request_count());
    fleet.stack.fake.set_default(Behaviour::held(&gate));
    let calls = join_all((0..30).map(|n| fleet.call(n % 3)));
    let opened = async {
        let asked = || fleet.stack.fake.request_count() - before;
        let first = penstock_tests::until("a trial", || async { Ok((asked() > 0).then_some(())) }).await;
        // Another one would come now.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let asked = asked();
        gate.open();
        first.map(|()| asked)
    };
    let (answers, asked) = tokio::join!(calls, opened);
    assert_eq!(asked?, 1, "one trial in the whole fleet");
    let answers = answers.into_iter().collect::<Result<Vec<_>>>()?;
    assert_eq!(answers.iter().filter(|(status, _)| *status == 200).count(), 1);
    assert_eq!(answers.iter().filter(|(status, _)| *status == 503).count(), 29);

    fleet.stack.fake.set_default(Behaviour::default());
    // A lease that was refused is remembered for a moment, and of two trials that do not know of each other one counts.
    penstock_tests::until("the next trials close it", || async {
        let (status, _) = fleet.call(1).await?;
        Ok((status == 200 && fleet.state()? == "closed").then_some(()))
    })
    .await?;
    fleet.everywhere(0, Instant::now()).await?;
    for data in 0..3 {
        assert_eq!(fleet.call(data).await?.0, 200);
    }
    assert_eq!(fleet.state()?, "closed");
    for state in ["OPEN", "CLOSED"] {
        let line = format!("Circuit breaker is {state} for provider claude");
        fleet.stack.data[2].tells(&line).await?;
    }
    Ok(())
}

#[tokio::test]
async fn b08_restarts_keep_it_and_a_reset_closes_it_everywhere() -> Result<()> {
    let mut fleet = Fleet::start().await?;
    let update = ["provider", "update", "claude", "--breaker-open", "30m"];
    fleet.stack.cli(0).run(&update)?;
    fleet.stack.synced().await?;
    let tripped = fleet.trip().await?;
    fleet.everywhere(2, tripped).await?;

    let http = fleet.stack.http.clone();
    fleet.stack.data[0].kill()?;
    for control in &mut fleet.stack.control {
        control.kill()?;
    }
    for control in &mut fleet.stack.control {
        control.start(&http).await?;
    }
    fleet.stack.data[0].start(&http).await?;
    fleet.stack.synced().await?;
    fleet.everywhere(2, Instant::now()).await?;
    fleet.refused_everywhere().await?;
    assert_eq!(fleet.state()?, "open");

    fleet.stack.fake.set_default(Behaviour::default());
    let reset = ["provider", "reset", "claude", "--reason", "mended"];
    fleet.stack.cli(1).run(&reset)?;
    fleet.everywhere(0, Instant::now()).await?;
    for data in 0..3 {
        assert_eq!(fleet.call(data).await?.0, 200);
    }

    fleet
        .stack
        .cli(0)
        .run(&["breaker", "open", "claude", "--reason", "maintenance"])?;
    fleet.everywhere(2, Instant::now()).await?;
    fleet.refused_everywhere().await?;
    assert_eq!(fleet.state()?, "forced_open");
    Ok(())
}
