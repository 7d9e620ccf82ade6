//! The flags of a provider that say how connections to it are made.

use std::path::Path;
use std::str::FromStr;

use penstock_core::provider::{AddressFamily, Outbound, OutboundProxy};

use super::list::Entry;
use super::set;
use crate::input;

const HEADING: &str = "Connections";

/// On an update only what is given changes.
#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct OutboundFlags {
    /// Proxy on the way to it: `http, https, socks5 or socks5h://[user@]host[:port]`; its password apart; '' for none
    #[arg(help_heading = HEADING, long, value_name = "URL")]
    pub proxy: Option<Entry<OutboundProxy>>,

    /// Whether a proxy that cannot be reached is bypassed [default: false]
    #[arg(help_heading = HEADING, long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub fallback_to_direct: Option<bool>,

    /// Which addresses are dialled: any, ipv4; default is ipv4 through a proxy, else any
    #[arg(help_heading = HEADING, long, value_name = "any|ipv4|default")]
    pub address_family: Option<FamilyArg>,

    /// File with certificates (PEM) of authorities that are trusted beside the public ones; '' for none
    #[arg(help_heading = HEADING, long, value_name = "FILE")]
    pub ca_file: Option<Entry<CaFile>>,

    /// Whether HTTP/2 is spoken where TLS negotiates it [default: true]
    #[arg(help_heading = HEADING, long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    pub http2: Option<bool>,
}

/// One of the words, or `default`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FamilyArg(Option<AddressFamily>);

/// What stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaFile(String);

impl OutboundFlags {
    pub(crate) fn apply(&self, outbound: &mut Outbound) {
        if let Some(proxy) = self.proxy.clone().map(Entry::into_option) {
            // Without a proxy there is nothing to fall back from.
            outbound.fallback_to_direct &= proxy.is_some();
            outbound.proxy = proxy;
        }
        set(&mut outbound.fallback_to_direct, self.fallback_to_direct);
        set(
            &mut outbound.address_family,
            self.address_family.map(|FamilyArg(family)| family),
        );
        let pem = |file: Entry<CaFile>| file.into_option().map(|CaFile(pem)| pem).unwrap_or_default();
        set(&mut outbound.ca_pem, self.ca_file.clone().map(pem));
        set(&mut outbound.http2, self.http2);
    }
}

impl FromStr for FamilyArg {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "default" {
            return Ok(Self(None));
        }
        let found = AddressFamily::ALL
            .into_iter()
            .find(|family| family.as_str() == text);
        found
            .map(|family| Self(Some(family)))
            .ok_or("is none of any, ipv4 and default")
    }
}

impl FromStr for CaFile {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pem = input::text(Path::new(text)).map_err(|failure| failure.to_string())?;
        Ok(Self(pem))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Command {
        #[command(flatten)]
        flags: OutboundFlags,
    }

    fn applied(flags: &[&str], mut outbound: Outbound) -> Result<Outbound, String> {
        let words = std::iter::once(&"x").chain(flags);
        let command = Command::try_parse_from(words).map_err(|e| e.to_string())?;
        command.flags.apply(&mut outbound);
        Ok(outbound)
    }

    #[test]
    fn b10_flags_carry_how_connections_are_made() {
        let ca = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(
            ca.path(),
            "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        let flags = [
            "--proxy",
            "socks5h://me@127.0.0.1:1080",
            "--fallback-to-direct",
            "--address-family",
            "any",
            "--ca-file",
            ca.path().to_str().unwrap(),
            "--http2",
            "false",
        ];
        let outbound = applied(&flags, Outbound::default()).unwrap();
        assert_eq!(
            outbound.proxy.as_ref().unwrap().to_string(),
            "socks5h://me@127.0.0.1:1080"
        );
        assert!(outbound.fallback_to_direct && !outbound.http2);
        assert_eq!(outbound.address_family, Some(AddressFamily::Any));
        assert!(outbound.ca_pem.starts_with("-----BEGIN"));
        let plain = [
            "--proxy",
            "",
            "--address-family",
            "default",
            "--ca-file",
            "",
            "--http2",
        ];
        assert_eq!(applied(&plain, outbound).unwrap(), Outbound::default());
    }

    #[test]
    fn b10_a_malformed_proxy_and_a_password_in_it_are_wrong_usage() {
        let wrong = applied(&["--proxy", "ftp://h"], Outbound::default()).unwrap_err();
        assert!(wrong.contains("socks5h://"), "{wrong}");
        let wrong = applied(&["--proxy", "http://u:hunter2@h"], Outbound::default()).unwrap_err();
        assert!(wrong.contains("password"), "{wrong}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let wrong = applied(&["--ca-file", "/nowhere/ca.pem"], Outbound::default()).unwrap_err();
        assert!(wrong.contains("/nowhere/ca.pem"), "{wrong}");
    }
}
