//! Which role each RPC needs, by its path.

/// What a caller must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Health checks: says nothing but that the process serves.
    Anyone,
    /// A data plane: reads snapshots, writes telemetry, nothing else.
    Node,
    /// An operator.
    Admin,
}

/// The role that a call of this path (`/package.Service/Method`) needs. None: nobody may call it.
pub fn role_of(path: &str) -> Option<Role> {
    let service = path.strip_prefix('/')?.split('/').next()?;
    if service.starts_with("penstock.admin.v1.") {
        return Some(Role::Admin);
    }
    match service {
        "penstock.sync.v1.ConfigSyncService" | "penstock.telemetry.v1.TelemetryService" => Some(Role::Node),
        "grpc.reflection.v1.ServerReflection" => Some(Role::Admin),
        "grpc.health.v1.Health" => Some(Role::Anyone),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every RPC of the product and the role it needs. A new service must be added here on purpose.
    #[test]
    fn every_rpc_has_the_role_listed_here() {
        let expected = [
            ("penstock.admin.v1.BackupService", Role::Admin),
            ("penstock.admin.v1.BreakerService", Role::Admin),
            ("penstock.admin.v1.ConfigService", Role::Admin),
            ("penstock.admin.v1.ErrorRuleService", Role::Admin),
            ("penstock.admin.v1.FleetService", Role::Admin),
            ("penstock.admin.v1.ImportService", Role::Admin),
            ("penstock.admin.v1.KeyService", Role::Admin),
            ("penstock.admin.v1.LimitsService", Role::Admin),
            ("penstock.admin.v1.OauthService", Role::Admin),
            ("penstock.admin.v1.PriceService", Role::Admin),
            ("penstock.admin.v1.ProviderService", Role::Admin),
            ("penstock.admin.v1.RequestFilterService", Role::Admin),
            ("penstock.admin.v1.RouteService", Role::Admin),
            ("penstock.admin.v1.UsageService", Role::Admin),
            ("penstock.admin.v1.UserService", Role::Admin),
            ("penstock.admin.v1.WordRuleService", Role::Admin),
            ("penstock.sync.v1.ConfigSyncService", Role::Node),
            ("penstock.telemetry.v1.TelemetryService", Role::Node),
        ];
        let set =
            <prost_types::FileDescriptorSet as prost::Message>::decode(penstock_proto::DESCRIPTORS).unwrap();
        let mut found = Vec::new();
        for file in &set.file {
            for service in &file.service {
                let name = format!("{}.{}", file.package(), service.name());
                for method in &service.method {
                    let role = role_of(&format!("/{name}/{}", method.name()));
                    let listed = expected
                        .iter()
                        .find(|(listed, _)| *listed == name)
                        .map(|(_, role)| *role);
                    assert_eq!(role, listed, "{name}/{}", method.name());
                }
                found.push(name);
            }
        }
        found.sort();
        assert_eq!(found, expected.map(|(name, _)| name));
    }

    #[test]
    fn deny_is_the_default() {
        for path in [
            "",
            "/",
            "/penstock.new.v1.Service/Do",
            "penstock.admin.v1.KeyService/List",
            "/grpc.health.v2/Check",
        ] {
            assert_eq!(role_of(path), None, "{path}");
        }
    }
}
