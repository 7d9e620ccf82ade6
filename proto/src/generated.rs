//! The generated code, in modules nested as the packages are.

/// Resources.
#[expect(
    clippy::doc_markdown,
    missing_debug_implementations,
    reason = "generated; secrets have no Debug"
)]
pub mod config {
    /// `penstock.config.v1`
    pub mod v1 {
        tonic::include_proto!("penstock.config.v1");
    }
}

/// Which providers are well.
#[expect(clippy::doc_markdown, reason = "generated")]
pub mod fleet {
    /// `penstock.fleet.v1`
    pub mod v1 {
        tonic::include_proto!("penstock.fleet.v1");
    }
}

/// The config stream.
#[expect(
    clippy::allow_attributes,
    clippy::doc_markdown,
    missing_debug_implementations,
    reason = "generated; secrets have no Debug"
)]
pub mod sync {
    /// `penstock.sync.v1`
    pub mod v1 {
        tonic::include_proto!("penstock.sync.v1");
    }
}

/// Usage, node health, provider states, failures.
#[expect(clippy::allow_attributes, clippy::doc_markdown, reason = "generated")]
pub mod telemetry {
    /// `penstock.telemetry.v1`
    pub mod v1 {
        tonic::include_proto!("penstock.telemetry.v1");
    }
}

/// The operators' services.
#[expect(
    clippy::allow_attributes,
    clippy::doc_markdown,
    missing_debug_implementations,
    reason = "generated; secrets have no Debug"
)]
pub mod admin {
    /// `penstock.admin.v1`
    pub mod v1 {
        tonic::include_proto!("penstock.admin.v1");
    }
}
