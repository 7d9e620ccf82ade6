//! Which role each RPC needs: all of them, one line each. What is not here is refused.
//!
//! The roles ([`penstock_core::operator::Role`]) are in order: who may do more may do everything that less may do. The
//! exception is the role `user`, which sees one user and nothing else: an RPC is open to it only where the table says so, and
//! its service then looks at the caller's [`Scope`](crate::admin::Scope).
//!
//! `docs/operators.md` has the same table; a test compares the two, and another one asks the real binaries.

use penstock_core::operator::Role;

/// What a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Health checks: says nothing but that the process serves.
    Anyone,
    /// A data plane: reads snapshots, writes telemetry, nothing else.
    Node,
    /// An operator, of certain roles.
    Operator(Rule),
}

/// Which operators may call, and whether a call is kept in the audit log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rule {
    /// This role and those above it.
    pub least: Role,
    /// Also the role `user`, for its own.
    pub own: bool,
    /// It changes something, costs something or shows a secret.
    pub audited: bool,
}

const READ: Rule = rule(Role::Viewer, false);
const CHANGE: Rule = rule(Role::Operator, true);
const ADMIN: Rule = rule(Role::Admin, true);
/// What everybody may look at, users only if it is theirs.
const READ_OWN: Rule = Rule { own: true, ..READ };
/// What users may do to their own keys while self-service is on.
const CHANGE_OWN: Rule = Rule { own: true, ..CHANGE };
const READ_ADMIN: Rule = rule(Role::Admin, false);

const fn rule(least: Role, audited: bool) -> Rule {
    Rule {
        least,
        own: false,
        audited,
    }
}

type Methods = &'static [(&'static str, Rule)];

/// Operators' services: the package's name is left out.
const ADMIN_SERVICES: &[(&str, Methods)] = &[
    ("AuditService", &[("ListAuditEntries", READ)]),
    (
        "BackupService",
        &[
            // Also of the kinds without secrets: hashes of keys and the whole ledger are in them.
            ("CreateBackup", ADMIN),
            ("RestoreBackup", ADMIN),
        ],
    ),
    (
        "BreakerService",
        &[
            ("ListBreakers", READ),
            ("OpenBreaker", CHANGE),
            ("ResetProvider", CHANGE),
        ],
    ),
    (
        "ConfigService",
        &[
            ("ListRevisions", READ),
            ("DiffRevisions", READ),
            ("Rollback", CHANGE),
            ("ListSettings", READ),
            ("SetSetting", CHANGE),
            ("ResetSetting", CHANGE),
        ],
    ),
    (
        "DebugService",
        &[
            // With bodies: administrators; the service looks.
            ("StartHttpDebug", CHANGE),
            ("ListHttpDebug", READ),
            ("StopHttpDebug", CHANGE),
        ],
    ),
    ("DoctorService", &[("Diagnose", READ), ("DescribeReplica", READ)]),
    (
        "ErrorRuleService",
        &[
            ("CreateErrorRule", CHANGE),
            ("GetErrorRule", READ),
            ("ListErrorRules", READ),
            ("UpdateErrorRule", CHANGE),
            ("DeleteErrorRule", CHANGE),
            ("TestErrorRule", READ),
        ],
    ),
    (
        "FleetService",
        &[
            ("ListNodes", READ),
            ("GetStatus", READ),
            ("ListCounters", READ),
            ("DrainNode", CHANGE),
        ],
    ),
    // Many changes of the kinds that operators make one by one. What is there stays, and no secret comes back.
    ("ImportService", &[("ImportResources", CHANGE)]),
    (
        "KeyService",
        &[
            ("CreateKey", CHANGE_OWN),
            ("GetKey", READ_OWN),
            ("ListKeys", READ_OWN),
            ("UpdateKey", CHANGE),
            ("DeleteKey", CHANGE_OWN),
            ("RotateKey", CHANGE_OWN),
            ("FindKey", READ),
            ("CreateImportSuffix", CHANGE),
        ],
    ),
    (
        "LimitsService",
        &[
            ("ShowLimits", READ_OWN),
            ("ForecastLimits", READ_OWN),
            ("ResetLimits", CHANGE),
        ],
    ),
    (
        "LogService",
        &[("SearchCalls", READ), ("TailCalls", READ), ("GetFailure", READ)],
    ),
    (
        "ManifestService",
        &[("ApplyManifests", CHANGE), ("ExportManifests", READ)],
    ),
    (
        "MasterKeyService",
        &[("ShowMasterKey", READ), ("RotateMasterKey", ADMIN)],
    ),
    (
        "NotificationService",
        &[
            ("CreateWebhook", CHANGE),
            ("ListWebhooks", READ),
            ("UpdateWebhook", CHANGE),
            ("DeleteWebhook", CHANGE),
            ("TestWebhook", CHANGE),
            ("ListDeliveries", READ),
            ("ListAlerts", READ),
            ("ListNotifications", READ),
        ],
    ),
    (
        "OauthService",
        &[
            ("StartOauthLogin", CHANGE),
            ("FinishOauthLogin", CHANGE),
            ("RefreshOauthToken", CHANGE),
            ("TestOauth", CHANGE),
            ("ListOauth", READ),
        ],
    ),
    (
        "OperatorService",
        &[
            ("CreateOperator", ADMIN),
            ("GetOperator", READ_ADMIN),
            ("ListOperators", READ_ADMIN),
            ("UpdateOperator", ADMIN),
            ("DeleteOperator", ADMIN),
            ("RotateOperatorToken", ADMIN),
            ("WhoAmI", READ_OWN),
        ],
    ),
    (
        "PriceService",
        &[
            ("CreatePrice", CHANGE),
            ("GetPrice", READ),
            ("ListPrices", READ),
            ("UpdatePrice", CHANGE),
            ("DeletePrice", CHANGE),
            ("ResolvePrice", READ),
            ("ImportPrices", CHANGE),
            ("BackfillPrices", CHANGE),
            ("ListPriceBackfills", READ),
        ],
    ),
    (
        "ProviderService",
        &[
            ("CreateProvider", CHANGE),
            ("GetProvider", READ),
            ("ListProviders", READ),
            ("UpdateProvider", CHANGE),
            ("DeleteProvider", CHANGE),
            // It asks the provider, which costs a few tokens.
            ("TestProvider", CHANGE),
        ],
    ),
    (
        "RequestFilterService",
        &[
            ("CreateRequestFilter", CHANGE),
            ("GetRequestFilter", READ),
            ("ListRequestFilters", READ),
            ("UpdateRequestFilter", CHANGE),
            ("DeleteRequestFilter", CHANGE),
        ],
    ),
    ("RouteService", &[("PlanRoute", READ)]),
    (
        "SessionService",
        &[("ListSessions", READ_OWN), ("KickSession", CHANGE)],
    ),
    (
        "UsageService",
        &[
            ("SummarizeUsage", READ_OWN),
            ("GetUsageSeries", READ_OWN),
            ("ListUsageRecords", READ_OWN),
            ("ExportUsage", READ_OWN),
            ("ListCharges", READ_OWN),
            // Of providers.
            ("ErrorTrends", READ),
            ("CleanUsage", CHANGE),
            ("GetCall", READ),
        ],
    ),
    (
        "UserService",
        &[
            ("CreateUser", CHANGE),
            ("GetUser", READ_OWN),
            ("ListUsers", READ),
            ("UpdateUser", CHANGE),
            ("DeleteUser", CHANGE),
        ],
    ),
    (
        "WordRuleService",
        &[
            ("CreateWordRule", CHANGE),
            ("GetWordRule", READ),
            ("ListWordRules", READ),
            ("UpdateWordRule", CHANGE),
            ("DeleteWordRule", CHANGE),
        ],
    ),
];

/// What a call of this path (`/package.Service/Method`) needs. None: nobody may call it.
pub fn needs_of(path: &str) -> Option<Needs> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    if let Some(service) = service.strip_prefix("penstock.admin.v1.") {
        let (_, methods) = ADMIN_SERVICES.iter().find(|(name, _)| *name == service)?;
        let (_, rule) = methods.iter().find(|(name, _)| *name == method)?;
        return Some(Needs::Operator(*rule));
    }
    match (service, method) {
        ("penstock.sync.v1.ConfigSyncService", "Sync")
        | ("penstock.telemetry.v1.TelemetryService", "Report" | "Baseline") => Some(Needs::Node),
        ("grpc.reflection.v1.ServerReflection", "ServerReflectionInfo") => Some(Needs::Operator(READ)),
        ("grpc.health.v1.Health", "Check" | "Watch" | "List") => Some(Needs::Anyone),
        _ => None,
    }
}

impl Rule {
    pub fn allows(self, role: Role) -> bool {
        match role {
            Role::User => self.own,
            Role::Viewer | Role::Operator | Role::Admin => role >= self.least,
        }
    }
}

#[cfg(test)]
mod tests;
