//! What the request path reads, made of the resources once for each snapshot: rules compiled and in order, settings with
//! their defaults.

use std::sync::Arc;

use super::Snapshot;
use crate::failure::ErrorRules;
use crate::request_filter::RequestFilters;
use crate::setting::{
    HttpDebug, LimitsPolicy, LoggingPolicy, ObservabilityPolicy, RoutingPolicy, Setting, UnpricedPolicy,
};
use crate::word_rule::Words;

impl Snapshot {
    /// Most updates leave the rules as they were.
    pub(super) fn read_rules(&mut self, held: &Self) {
        self.error_rules = match self.rules == held.rules {
            true => Arc::clone(&held.error_rules),
            false => Arc::new(ErrorRules::new(
                self.rules.values().map(|(_, rule)| Arc::clone(rule)),
            )),
        };
        self.words = match self.word_rules == held.word_rules {
            true => Arc::clone(&held.words),
            false => {
                let rules = self.word_rules.values().map(|(_, rule)| Arc::clone(rule));
                Arc::new(Words::new(rules, &held.words))
            }
        };
        self.request_filters = match self.filters == held.filters {
            true => Arc::clone(&held.request_filters),
            false => Arc::new(RequestFilters::new(
                self.filters.values().map(|(_, filter)| Arc::clone(filter)),
            )),
        };
    }

    /// Settings have defaults, so the fields that the request path reads are always there.
    pub(super) fn read_settings(&mut self) {
        self.unpriced = UnpricedPolicy::default();
        self.explain_refusals = false;
        self.limits = LimitsPolicy::default();
        self.routing = RoutingPolicy::default();
        self.fallbacks = Vec::new();
        self.logging = LoggingPolicy::default();
        self.http_debug = HttpDebug::default();
        self.drained_nodes = Vec::new();
        self.observability = ObservabilityPolicy::default();
        for (_, setting) in self.settings.values() {
            match setting {
                Setting::Unpriced(policy) => self.unpriced = policy.clone(),
                Setting::ExplainRefusals(on) => self.explain_refusals = *on,
                Setting::Limits(policy) => self.limits = *policy,
                Setting::Routing(policy) => self.routing = *policy,
                Setting::ModelFallbacks(fallbacks) => self.fallbacks.clone_from(fallbacks),
                // For control planes alone.
                Setting::Notifications(_) | Setting::SelfService(_) | Setting::Retention(_) => {}
                Setting::Logging(policy) => self.logging.clone_from(policy),
                Setting::HttpDebug(debug) => self.http_debug.clone_from(debug),
                Setting::DrainedNodes(nodes) => self.drained_nodes.clone_from(nodes),
                Setting::Observability(policy) => self.observability = *policy,
            }
        }
    }
}
