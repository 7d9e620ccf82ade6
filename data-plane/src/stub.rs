//! Stub.
pub(crate) trait SnapExt {
    fn routing(&self) -> RoutingPolicy;
    fn fallbacks(&self, model: &str) -> &[String];
    fn error_rules(&self) -> &penstock_core::failure::ErrorRules;
}
pub(crate) trait ProvExt {
    fn redirect<'a>(&'a self, model: &str) -> Option<&'a str>;
}
#[derive(Clone, Copy)]
pub(crate) struct RoutingPolicy {
    pub max_providers: u32,
    pub keepalive_after_ms: u64,
    pub keepalive_every_ms: u64,
    pub return_to_better_tier: bool,
    pub sticky_ttl_ms: u64,
    pub sticky_renew_below_ms: u64,
}
static RULES: std::sync::LazyLock<penstock_core::failure::ErrorRules> =
    std::sync::LazyLock::new(Default::default);
impl SnapExt for penstock_core::snapshot::Snapshot {
    fn routing(&self) -> RoutingPolicy {
        RoutingPolicy {
            max_providers: 5,
            keepalive_after_ms: 25_000,
            keepalive_every_ms: 15_000,
            return_to_better_tier: false,
            sticky_ttl_ms: 3_600_000,
            sticky_renew_below_ms: 900_000,
        }
    }
    fn fallbacks(&self, _: &str) -> &[String] {
        &[]
    }
    fn error_rules(&self) -> &penstock_core::failure::ErrorRules {
        &RULES
    }
}
impl ProvExt for penstock_core::provider::Provider {
    fn redirect<'a>(&'a self, _: &str) -> Option<&'a str> {
        None
    }
}
