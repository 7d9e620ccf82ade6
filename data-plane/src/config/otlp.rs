//! Where traces and metrics are exported to, by OTLP.
//!
//! The environment's names are OpenTelemetry's own, where it has one, so that what sets up other programs sets up this
//! one. Headers hold credentials; a process list shows flags, so they belong into the environment.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use http::Uri;
use penstock_core::money::Millionths;
use penstock_dialect::percent;
use tonic::metadata::{Ascii, MetadataKey, MetadataValue};

use super::ConfigError;

/// What is exported, and where to. `penstock up` has the same flags.
#[derive(Args, Clone)]
#[command(next_help_heading = "OpenTelemetry")]
#[expect(missing_debug_implementations, reason = "the headers may hold a token")]
pub struct OtlpArgs {
    /// Collector that gets traces and metrics of calls by OTLP over gRPC: `http://HOST:4317`, or `https://` for TLS. Without
    /// it nothing is exported.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,

    /// Headers for the collector: NAME=VALUE, separated by commas. They belong into the environment, since a process list
    /// shows flags.
    #[arg(
        long,
        env = "OTEL_EXPORTER_OTLP_HEADERS",
        hide_env_values = true,
        value_delimiter = ',',
        value_name = "NAME=VALUE"
    )]
    pub otlp_headers: Vec<String>,

    /// Certificates (PEM) of the authority that signed the collector's. Default: the public web's authorities.
    #[arg(long, env = "OTEL_EXPORTER_OTLP_CERTIFICATE", value_name = "FILE")]
    pub otlp_ca: Option<PathBuf>,

    /// Which part of the calls has a trace, from 0 to 1. A caller that says by `traceparent` whether its trace is kept
    /// decides for its call.
    #[arg(
        long,
        env = "PENSTOCK_OTLP_SAMPLE",
        default_value = "0.1",
        value_name = "RATIO"
    )]
    pub otlp_sample: SampleRatio,

    /// What the service is called there.
    #[arg(
        long,
        env = "OTEL_SERVICE_NAME",
        default_value = "penstock-data-plane",
        value_name = "NAME"
    )]
    pub otlp_service_name: String,
}

/// A part of all calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SampleRatio(Millionths);

/// Where to export to, checked.
#[derive(Clone)]
#[expect(missing_debug_implementations, reason = "the headers may hold a token")]
pub struct OtlpSettings {
    pub endpoint: Uri,
    pub headers: Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>,
    /// PEM. None: the public web's authorities.
    pub ca: Option<String>,
    pub sample: SampleRatio,
    pub service_name: String,
}

impl SampleRatio {
    /// Whether a trace of this id is kept: by its last seven bytes, which are random in whatever made it, so that all
    /// programs which decide that way decide alike.
    pub(crate) fn keeps(self, trace_id: [u8; 16]) -> bool {
        let random = u128::from_be_bytes(trace_id) & ((1 << 56) - 1);
        random * u128::from(Millionths::ONE.0) < u128::from(self.0.0) << 56
    }
}

impl FromStr for SampleRatio {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ratio = text.parse::<Millionths>().ok();
        ratio
            .filter(|ratio| ratio.0 <= Millionths::ONE.0)
            .map(Self)
            .ok_or("is no ratio; write a number from 0 to 1, such as 0.1")
    }
}

impl OtlpSettings {
    /// None: nothing is exported.
    pub(super) fn new(args: &OtlpArgs) -> Result<Option<Self>, ConfigError> {
        let Some(url) = args.otlp_endpoint.as_deref().map(str::trim) else {
            return Ok(None);
        };
        if url.is_empty() {
            return Ok(None);
        }
        let ca = match &args.otlp_ca {
            Some(path) => Some(std::fs::read_to_string(path).map_err(|source| ConfigError::File {
                flag: "--otlp-ca",
                path: path.clone(),
                source,
            })?),
            None => None,
        };
        let headers = args.otlp_headers.iter().map(|header| header.trim());
        Ok(Some(Self {
            endpoint: endpoint(url)?,
            headers: headers
                .filter(|header| !header.is_empty())
                .map(header)
                .collect::<Result<_, _>>()?,
            ca,
            sample: args.otlp_sample,
            service_name: args.otlp_service_name.clone(),
        }))
    }
}

fn endpoint(url: &str) -> Result<Uri, ConfigError> {
    let bad = |problem| ConfigError::OtlpEndpoint { problem };
    let uri: Uri = url.parse().map_err(|_| bad("it is not a URL"))?;
    match uri.scheme_str() {
        Some("http" | "https") => {}
        Some(_) | None => return Err(bad("it does not begin with http:// or https://")),
    }
    match uri.authority() {
        // A password would be shown by the process list; it goes into a header.
        Some(authority) if authority.as_str().contains('@') => Err(bad("it holds a user name")),
        Some(_) => Ok(uri),
        None => Err(bad("it names no host")),
    }
}

/// The text is never repeated: it may be a token.
fn header(text: &str) -> Result<(MetadataKey<Ascii>, MetadataValue<Ascii>), ConfigError> {
    let (name, value) = text.split_once('=').ok_or(ConfigError::OtlpHeader)?;
    let name = name.trim().to_ascii_lowercase();
    let name = MetadataKey::from_bytes(name.as_bytes()).map_err(|_| ConfigError::OtlpHeader)?;
    // OpenTelemetry has values percent-encoded, since they may hold commas.
    let value = percent::decode(value.trim()).ok_or(ConfigError::OtlpHeader)?;
    let mut value: MetadataValue<Ascii> = value.parse().map_err(|_| ConfigError::OtlpHeader)?;
    value.set_sensitive(true);
    Ok((name, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g07_a_ratio_keeps_its_part_of_all_traces() {
        let kept = |ratio: &str| {
            let ratio: SampleRatio = ratio.parse().unwrap();
            let ids = (0..1_000_u128).map(|n| ((1 << 100) + (n << 46)).to_be_bytes());
            ids.filter(|id| ratio.keeps(*id)).count()
        };
        assert_eq!((kept("0"), kept("1")), (0, 1_000));
        assert!((95..=110).contains(&kept("0.1")), "{}", kept("0.1"));
        assert!("1.1".parse::<SampleRatio>().is_err());
        assert!(SampleRatio(Millionths::ONE).keeps([0xff; 16]));
    }

    #[test]
    fn g07_headers_are_read_and_never_repeated_in_complaints() {
        let (name, value) = header("Authorization=Basic%20abc=").unwrap();
        assert_eq!(
            (name.as_str(), value.to_str().unwrap()),
            ("authorization", "Basic abc=")
        );
        for bad in ["sesame", "a b=sesame", "a=sesame%z", "a=sesame%+f", "a=sesame%0A"] {
            let complaint = header(bad).err().unwrap().to_string();
            assert!(!complaint.contains("sesame"), "{complaint}");
        }
        for bad in ["collector:4317", "http://user:sesame@host", "ftp://host"] {
            assert!(!endpoint(bad).err().unwrap().to_string().contains("sesame"));
        }
    }
}
