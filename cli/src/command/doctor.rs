//! `penstock doctor`: what this side sees, then what the control plane finds, as it comes.

use penstock_proto::admin::v1 as wire;

use super::session::Session;
use crate::args::moment;
use crate::failure::Failure;
use crate::output;
use crate::remote::Services;
use crate::target::Target;
use crate::view::{Diagnosis, Finding, Level};

/// Clocks that differ by more make times in flags mean something else there.
const SKEW_MS: i64 = 5_000;

/// Find what is wrong with this installation, and what to do; exit code 1 if something fails
#[derive(clap::Args)]
pub(crate) struct Doctor {
    /// Connect to no provider
    #[arg(long)]
    offline: bool,
    /// Only what is not as it should be
    #[arg(long, short)]
    quiet: bool,
}

impl Doctor {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        let mut told = Diagnosis::default();
        // What was found is said also when the rest cannot be.
        let whole = self.look(session, &mut told).await;
        match session.is_table() {
            true => output::raw(&told.summary())?,
            false => session.print(&told)?,
        }
        whole?;
        match told.fail {
            0 => Ok(()),
            _ => Err(Failure::Unwell),
        }
    }

    async fn look(&self, session: &Session, told: &mut Diagnosis) -> Result<(), Failure> {
        let target = session.target()?;
        let services = session.connect().await?;
        gather(&services, &target, self.offline, |finding| {
            self.tell(session, told, finding)
        })
        .await
    }

    fn tell(&self, session: &Session, told: &mut Diagnosis, finding: Finding) -> Result<(), Failure> {
        if session.is_table() && !(self.quiet && finding.level == Level::Ok) {
            output::raw(&finding.text())?;
        }
        told.add(finding);
        Ok(())
    }
}

/// All findings, for a report.
pub(super) async fn diagnose(
    services: &Services,
    target: &Target,
    offline: bool,
) -> Result<Diagnosis, Failure> {
    let mut told = Diagnosis::default();
    gather(services, target, offline, |finding| {
        told.add(finding);
        Ok(())
    })
    .await?;
    Ok(told)
}

/// What is seen from this side, then what the control plane finds, as it comes.
async fn gather(
    services: &Services,
    target: &Target,
    offline: bool,
    mut tell: impl FnMut(Finding) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for finding in here(services, target).await? {
        tell(finding)?;
    }
    let request = wire::DiagnoseRequest { offline };
    let mut answers = services.doctor().diagnose(request).await?.into_inner();
    let mut first = true;
    while let Some(answer) = answers.message().await? {
        if std::mem::take(&mut first) {
            tell(clock(answer.at_ms))?;
        }
        if let Some(finding) = answer.finding {
            tell(Finding::from(finding))?;
        }
    }
    Ok(())
}

/// What is seen from this side.
async fn here(services: &Services, target: &Target) -> Result<Vec<Finding>, Failure> {
    let status = services.fleet().get_status(wire::GetStatusRequest {}).await?;
    let status = status.into_inner();
    Ok(vec![release(&status.version), way(target, &status.control_plane)])
}

fn release(theirs: &str) -> Finding {
    let ours = env!("CARGO_PKG_VERSION");
    if theirs == ours {
        return Finding::ok("release", format!("{ours} here and there"));
    }
    Finding::warn(
        "release",
        format!("this penstock is {ours}, the control plane {theirs}"),
    )
    .why("Commands of one may be unknown to the other.")
    .fix("Use a penstock of the control plane's release.")
}

fn way(target: &Target, name: &str) -> Finding {
    let what = format!("control plane {name} answers at {}", target.server);
    if target.server.starts_with("https://") || !target.insecure_plaintext {
        return Finding::ok("control plane", what);
    }
    Finding::warn("control plane", format!("{what}, without TLS"))
        .why("The token crosses the network in the clear.")
        .fix("Give the control plane `--tls-cert` and `--tls-key`, and use https://.")
}

fn clock(theirs: i64) -> Finding {
    let off = theirs.saturating_sub(moment::now().0);
    let what = format!("the control plane's differs from this machine's by {off} ms");
    if off.abs() <= SKEW_MS {
        return Finding::ok("clock", what);
    }
    Finding::warn("clock", what)
        .why("Times such as `--since 1h` and `--expires 30d` are counted from this machine's clock.")
        .fix("Let both machines take the time from NTP (`timedatectl`).")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g06_a_clock_or_release_that_differs_is_a_warning() {
        assert_eq!(clock(moment::now().0).level, Level::Ok);
        assert_eq!(clock(moment::now().0 - 60_000).level, Level::Warn);
        assert_eq!(release(env!("CARGO_PKG_VERSION")).level, Level::Ok);
        assert_eq!(release("0.0.1").level, Level::Warn);
    }
}
