//! The control plane's services, as the commands call them.

use penstock_proto::admin::v1::audit_service_client::AuditServiceClient;
use penstock_proto::admin::v1::backup_service_client::BackupServiceClient;
use penstock_proto::admin::v1::breaker_service_client::BreakerServiceClient;
use penstock_proto::admin::v1::config_service_client::ConfigServiceClient;
use penstock_proto::admin::v1::debug_service_client::DebugServiceClient;
use penstock_proto::admin::v1::doctor_service_client::DoctorServiceClient;
use penstock_proto::admin::v1::error_rule_service_client::ErrorRuleServiceClient;
use penstock_proto::admin::v1::fleet_service_client::FleetServiceClient;
use penstock_proto::admin::v1::import_service_client::ImportServiceClient;
use penstock_proto::admin::v1::key_service_client::KeyServiceClient;
use penstock_proto::admin::v1::limits_service_client::LimitsServiceClient;
use penstock_proto::admin::v1::log_service_client::LogServiceClient;
use penstock_proto::admin::v1::manifest_service_client::ManifestServiceClient;
use penstock_proto::admin::v1::master_key_service_client::MasterKeyServiceClient;
use penstock_proto::admin::v1::notification_service_client::NotificationServiceClient;
use penstock_proto::admin::v1::oauth_service_client::OauthServiceClient;
use penstock_proto::admin::v1::operator_service_client::OperatorServiceClient;
use penstock_proto::admin::v1::price_service_client::PriceServiceClient;
use penstock_proto::admin::v1::provider_service_client::ProviderServiceClient;
use penstock_proto::admin::v1::request_filter_service_client::RequestFilterServiceClient;
use penstock_proto::admin::v1::route_service_client::RouteServiceClient;
use penstock_proto::admin::v1::session_service_client::SessionServiceClient;
use penstock_proto::admin::v1::usage_service_client::UsageServiceClient;
use penstock_proto::admin::v1::user_service_client::UserServiceClient;
use penstock_proto::admin::v1::word_rule_service_client::WordRuleServiceClient;
use penstock_proto::admin::v1::{ChangeInfo, PageRequest, PageResponse};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;

use crate::connect::{self, Bearer};
use crate::failure::Failure;
use crate::target::Target;

/// A channel that carries the token.
pub(crate) type Signed = InterceptedService<Channel, Bearer>;

/// A page of the longest kind that is asked for.
const PAGE: u32 = 1_000;
/// Answers to one page of prices, with all their rates, stay far below.
const MAX_ANSWER: usize = 64 * 1024 * 1024;
/// A conflict with another editor is met again at most so often.
pub(crate) const ATTEMPTS: usize = 3;

/// An open connection.
#[derive(Clone)]
pub(crate) struct Services {
    channel: Channel,
    bearer: Bearer,
}

macro_rules! services {
    ($($name:ident: $client:ident;)*) => {$(
        pub(crate) fn $name(&self) -> $client<Signed> {
            let channel = self.channel.clone();
            $client::with_interceptor(channel, self.bearer.clone()).max_decoding_message_size(MAX_ANSWER)
        }
    )*};
}

impl Services {
    pub(crate) async fn connect(target: &Target) -> Result<Self, Failure> {
        let (channel, bearer) = connect::connect(target).await?;
        Ok(Self { channel, bearer })
    }

    services! {
        backups: BackupServiceClient;
        imports: ImportServiceClient;
        breakers: BreakerServiceClient;
        providers: ProviderServiceClient;
        users: UserServiceClient;
        keys: KeyServiceClient;
        debug: DebugServiceClient;
        doctor: DoctorServiceClient;
        limits: LimitsServiceClient;
        manifests: ManifestServiceClient;
        logs: LogServiceClient;
        master_key: MasterKeyServiceClient;
        oauth: OauthServiceClient;
        prices: PriceServiceClient;
        error_rules: ErrorRuleServiceClient;
        word_rules: WordRuleServiceClient;
        request_filters: RequestFilterServiceClient;
        configuration: ConfigServiceClient;
        fleet: FleetServiceClient;
        usage: UsageServiceClient;
        sessions: SessionServiceClient;
        routes: RouteServiceClient;
        operators: OperatorServiceClient;
        audit: AuditServiceClient;
        notifications: NotificationServiceClient;
    }
}

/// Why a change is made.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Reason {
    /// Kept in the history beside the change
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
}

impl Reason {
    /// On the wire.
    pub(crate) fn info(&self) -> Option<ChangeInfo> {
        Some(ChangeInfo {
            reason: self.reason.clone(),
        })
    }
}

/// Which part of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct Beginning {
    /// Only what has a name that begins so
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
}

impl Beginning {
    /// A page of it.
    pub(crate) fn on(&self, page: Option<PageRequest>) -> Option<PageRequest> {
        page.map(|page| PageRequest {
            name_prefix: self.prefix.clone(),
            ..page
        })
    }
}

/// Every item of a listing, page after page.
pub(crate) async fn all<T>(
    mut page: impl AsyncFnMut(Option<PageRequest>) -> Result<(Vec<T>, Option<PageResponse>), Failure>,
) -> Result<Vec<T>, Failure> {
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let request = PageRequest {
            size: PAGE,
            token,
            ..PageRequest::default()
        };
        let (more, next) = page(Some(request)).await?;
        items.extend(more);
        token = next.map(|page| page.next_token).unwrap_or_default();
        if token.is_empty() {
            return Ok(items);
        }
    }
}

/// Reads, changes and writes; again from the start when somebody else changed the resource in between.
///
/// Only the fields that the operator named are changed, so doing it again on the newer state loses nothing.
pub(crate) async fn edit<T>(
    attempts: usize,
    attempt: impl AsyncFn() -> Result<T, Failure>,
) -> Result<T, Failure> {
    for _ in 1..attempts {
        match attempt().await {
            Err(failure) if failure.is_conflict() => (),
            done => return done,
        }
    }
    attempt().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use tonic::Status;

    use super::*;

    async fn conflicts(times: usize) -> (Result<usize, Failure>, usize) {
        let calls = Cell::new(0);
        let done = edit(ATTEMPTS, async || {
            calls.set(calls.get() + 1);
            if calls.get() <= times {
                return Err(Status::aborted("changed by bob").into());
            }
            Ok(calls.get())
        })
        .await;
        (done, calls.get())
    }

    #[tokio::test]
    async fn g01_an_edit_is_repeated_on_the_newer_state() {
        assert_eq!(conflicts(1).await.0.unwrap(), 2);
    }

    #[tokio::test]
    async fn g01_an_edit_that_keeps_losing_is_an_error() {
        let (done, calls) = conflicts(99).await;
        assert!(done.unwrap_err().is_conflict());
        assert_eq!(calls, ATTEMPTS);
    }

    #[tokio::test]
    async fn a_listing_is_read_to_its_last_page() {
        let items = all(async |page: Option<PageRequest>| {
            let token = page.unwrap().token;
            let next = if token.is_empty() { "2" } else { "" };
            let next_token = next.to_owned();
            Ok((vec![token], Some(PageResponse { next_token })))
        });
        assert_eq!(items.await.unwrap(), ["", "2"]);
    }
}
