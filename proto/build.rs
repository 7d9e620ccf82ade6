//! Compiles the protocol without protoc: protox parses, tonic-prost-build generates.

use std::error::Error;
use std::path::PathBuf;

use prost::Message;

const FILES: [&str; 31] = [
    "penstock/config/v1/config.proto",
    "penstock/fleet/v1/fleet.proto",
    "penstock/sync/v1/sync.proto",
    "penstock/telemetry/v1/telemetry.proto",
    "penstock/telemetry/v1/decision.proto",
    "penstock/admin/v1/common.proto",
    "penstock/admin/v1/provider.proto",
    "penstock/admin/v1/oauth.proto",
    "penstock/admin/v1/user.proto",
    "penstock/admin/v1/key.proto",
    "penstock/admin/v1/price.proto",
    "penstock/admin/v1/error_rule.proto",
    "penstock/admin/v1/notification.proto",
    "penstock/admin/v1/word_rule.proto",
    "penstock/admin/v1/request_filter.proto",
    "penstock/admin/v1/config.proto",
    "penstock/admin/v1/manifest.proto",
    "penstock/admin/v1/master_key.proto",
    "penstock/admin/v1/doctor.proto",
    "penstock/admin/v1/fleet.proto",
    "penstock/admin/v1/debug.proto",
    "penstock/admin/v1/limits.proto",
    "penstock/admin/v1/log.proto",
    "penstock/admin/v1/usage.proto",
    "penstock/admin/v1/session.proto",
    "penstock/admin/v1/breaker.proto",
    "penstock/admin/v1/route.proto",
    "penstock/admin/v1/operator.proto",
    "penstock/admin/v1/audit.proto",
    "penstock/admin/v1/backup.proto",
    "penstock/admin/v1/import.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::compile(FILES, ["proto"])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("descriptors.bin"), descriptors.encode_to_vec())?;
    // What carries secrets gets no Debug, so that it cannot be logged by accident.
    tonic_prost_build::configure()
        .build_transport(false)
        // Much larger than the other kinds.
        .boxed(".penstock.config.v1.Resource.spec.provider")
        .boxed(".penstock.admin.v1.Manifest.spec.provider")
        .boxed(".penstock.admin.v1.Manifest.spec.user")
        .boxed(".penstock.admin.v1.Manifest.spec.key")
        .boxed(".penstock.admin.v1.ImportItem.resource.provider")
        .boxed(".penstock.admin.v1.ImportResourcesRequest.part.item")
        .skip_debug([
            ".penstock.config.v1.Provider",
            ".penstock.config.v1.Provider.other_credential",
            ".penstock.config.v1.BearerToken",
            ".penstock.config.v1.AwsKeys",
            ".penstock.config.v1.ImportSuffix",
            ".penstock.config.v1.Resource",
            ".penstock.config.v1.Resource.spec",
            ".penstock.sync.v1.Update",
            ".penstock.sync.v1.SyncResponse",
            ".penstock.sync.v1.SyncResponse.message",
            ".penstock.admin.v1.CreateProviderRequest",
            ".penstock.admin.v1.UpdateProviderRequest",
            ".penstock.admin.v1.NewCredential",
            ".penstock.admin.v1.NewCredential.credential",
            ".penstock.admin.v1.OauthClient",
            ".penstock.admin.v1.Manifest",
            ".penstock.admin.v1.Manifest.spec",
            ".penstock.admin.v1.ProviderManifest",
            ".penstock.admin.v1.CredentialManifest",
            ".penstock.admin.v1.CredentialManifest.credential",
            ".penstock.admin.v1.KeyManifest",
            ".penstock.admin.v1.ApplyManifestsRequest",
            ".penstock.admin.v1.ApplyManifestsResponse",
            ".penstock.admin.v1.AppliedManifest",
            ".penstock.admin.v1.ExportManifestsResponse",
            ".penstock.admin.v1.StartOauthLoginRequest",
            ".penstock.admin.v1.FinishOauthLoginRequest",
            ".penstock.admin.v1.CreateKeyRequest",
            ".penstock.admin.v1.CreateKeyRequest.import",
            ".penstock.admin.v1.CreateKeyResponse",
            ".penstock.admin.v1.RotateKeyResponse",
            ".penstock.admin.v1.FindKeyRequest",
            ".penstock.admin.v1.CreateImportSuffixRequest",
            ".penstock.admin.v1.CreateOperatorResponse",
            ".penstock.admin.v1.RotateOperatorTokenResponse",
            ".penstock.admin.v1.CreateBackupResponse",
            ".penstock.admin.v1.RestoreBackupRequest",
            ".penstock.admin.v1.RestoreBackupRequest.part",
            ".penstock.admin.v1.ImportItem",
            ".penstock.admin.v1.ImportItem.resource",
            ".penstock.admin.v1.ImportResourcesRequest",
            ".penstock.admin.v1.ImportResourcesRequest.part",
        ])
        .compile_fds(descriptors)?;
    Ok(())
}
