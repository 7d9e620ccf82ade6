//! The operators' services: `penstock.admin.v1`.
//!
//! One file a service. What they share: [`names`] finds resources by id or name, [`author`] says who changes something
//! and commits it, [`reply`] writes stored resources for operators, [`resets`] guards what was forgiven,
//! [`enforcement`] tells whether limits hold, [`status`] is the one mapping of errors.
//!
//! Rules. Every change of the configuration is one commit and answers with its revision. Reads go to the store, so that an operator sees a
//! change in the next call, on every replica; the index may lag behind by a moment. Secrets go in and are sealed or
//! hashed at once; a key or an operator's token comes back once, when it is made. Whether a caller may call at all is decided before, by
//! [`access`](crate::access); what it may see, by its [`Scope`].

mod activation;
mod audit;
mod author;
mod backup;
mod breaker;
mod config;
mod debug;
mod doctor;
mod drain;
mod enforcement;
mod error_rule;
mod fleet;
mod import;
mod key;
mod labels;
mod limits;
mod log;
mod manifest;
mod mask;
mod master_key;
mod names;
mod notification;
mod oauth;
mod operator;
mod page;
mod price;
mod provider;
mod provider_test;
mod random;
mod refusals;
mod reply;
mod request_filter;
mod resets;
mod rollback;
mod route;
mod scope;
mod session;
mod status;
mod usage;
mod user;
mod word_rule;

use penstock_proto::admin::v1::audit_service_server::AuditServiceServer;
use penstock_proto::admin::v1::backup_service_server::BackupServiceServer;
use penstock_proto::admin::v1::breaker_service_server::BreakerServiceServer;
use penstock_proto::admin::v1::config_service_server::ConfigServiceServer;
use penstock_proto::admin::v1::debug_service_server::DebugServiceServer;
use penstock_proto::admin::v1::doctor_service_server::DoctorServiceServer;
use penstock_proto::admin::v1::error_rule_service_server::ErrorRuleServiceServer;
use penstock_proto::admin::v1::fleet_service_server::FleetServiceServer;
use penstock_proto::admin::v1::import_service_server::ImportServiceServer;
use penstock_proto::admin::v1::key_service_server::KeyServiceServer;
use penstock_proto::admin::v1::limits_service_server::LimitsServiceServer;
use penstock_proto::admin::v1::log_service_server::LogServiceServer;
use penstock_proto::admin::v1::manifest_service_server::ManifestServiceServer;
use penstock_proto::admin::v1::master_key_service_server::MasterKeyServiceServer;
use penstock_proto::admin::v1::notification_service_server::NotificationServiceServer;
use penstock_proto::admin::v1::oauth_service_server::OauthServiceServer;
use penstock_proto::admin::v1::operator_service_server::OperatorServiceServer;
use penstock_proto::admin::v1::price_service_server::PriceServiceServer;
use penstock_proto::admin::v1::provider_service_server::ProviderServiceServer;
use penstock_proto::admin::v1::request_filter_service_server::RequestFilterServiceServer;
use penstock_proto::admin::v1::route_service_server::RouteServiceServer;
use penstock_proto::admin::v1::session_service_server::SessionServiceServer;
use penstock_proto::admin::v1::usage_service_server::UsageServiceServer;
use penstock_proto::admin::v1::user_service_server::UserServiceServer;
use penstock_proto::admin::v1::word_rule_service_server::WordRuleServiceServer;
pub use scope::Scope;
use tonic::service::Routes;

use crate::context::Context;
use crate::streams::Streams;

/// A file of prices, with room for what is around it.
const MAX_PRICE_FILE: usize = penstock_core::price::import::MAX_BYTES + (1 << 20);

/// All services, to be put behind the access check.
pub fn routes(context: &Context, streams: &Streams) -> Routes {
    Routes::new(ProviderServiceServer::new(provider::Providers(context.clone())))
        .add_service(BreakerServiceServer::new(breaker::Breakers(context.clone())))
        .add_service(NotificationServiceServer::new(notification::Notifications(
            context.clone(),
        )))
        .add_service(OauthServiceServer::new(oauth::Oauth(context.clone())))
        .add_service(UserServiceServer::new(user::Users(context.clone())))
        .add_service(KeyServiceServer::new(key::Keys(context.clone())))
        .add_service(LimitsServiceServer::new(limits::LimitsOf(context.clone())))
        .add_service(
            PriceServiceServer::new(price::Prices(context.clone())).max_decoding_message_size(MAX_PRICE_FILE),
        )
        .add_service(ErrorRuleServiceServer::new(error_rule::Rules(context.clone())))
        .add_service(WordRuleServiceServer::new(word_rule::Rules(context.clone())))
        .add_service(RequestFilterServiceServer::new(request_filter::Filters(
            context.clone(),
        )))
        .add_service(ConfigServiceServer::new(config::Configuration(context.clone())))
        .add_service(
            ManifestServiceServer::new(manifest::Manifests(context.clone()))
                .max_decoding_message_size(manifest::MAX_REQUEST),
        )
        .add_service(DoctorServiceServer::new(doctor::Doctor {
            context: context.clone(),
            streams: streams.clone(),
        }))
        .add_service(FleetServiceServer::new(fleet::Fleet(context.clone())))
        .add_service(MasterKeyServiceServer::new(master_key::MasterKeys(
            context.clone(),
        )))
        .add_service(RouteServiceServer::new(route::Routes(context.clone())))
        .add_service(SessionServiceServer::new(session::Sessions(context.clone())))
        .add_service(UsageServiceServer::new(usage::Ledger(context.clone())))
        .add_service(OperatorServiceServer::new(operator::Operators(context.clone())))
        .add_service(AuditServiceServer::new(audit::AuditLog(context.clone())))
        .add_service(DebugServiceServer::new(debug::Debug(context.clone())))
        .add_service(LogServiceServer::new(log::Logs::new(
            context.clone(),
            streams.clone(),
        )))
        .add_service(BackupServiceServer::new(backup::Backups(context.clone())))
        .add_service(ImportServiceServer::new(import::Imports(context.clone())))
}
