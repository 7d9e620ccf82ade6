//! Who gets to see a provider's credential.
//!
//! A credential is given for hosts: those of the base URLs. It is sealed, and nobody can read it back; but whoever points
//! the provider at another host would have it sent there. The same goes for a proxy that can look into what passes: one
//! that plain http goes through, or one before which authorities are trusted that are not the public web's.
//!
//! So a change that shows the credential to somebody new is known here, and refused by those who make changes unless a
//! credential comes with it or the operator says that it may stay.

use super::Provider;
use crate::invalid::Invalid;

impl Provider {
    /// Whether a credential given for `before` is shown to nobody new now. The problem names the field.
    pub fn keeps_credential_of(&self, before: &Self) -> Result<(), Invalid> {
        let known: Vec<String> = before.base_urls.iter().map(|url| origin(url)).collect();
        let new = self.base_urls.iter().find(|url| !known.contains(&origin(url)));
        if let Some(url) = new {
            let problem = format!(
                "leads to {}, for which the provider's credential was not given",
                origin(url)
            );
            return Err(Invalid::new("base_urls", problem));
        }
        let (was, is) = (&before.outbound, &self.outbound);
        let changed = was.proxy != is.proxy || was.ca_pem != is.ca_pem;
        if changed && self.is_open_to_proxy() {
            let problem = "the proxy would be able to read the provider's credential, which was not given for it: \
                           requests go through it in plain http, or with authorities of your own";
            return Err(Invalid::new("outbound.proxy", problem));
        }
        Ok(())
    }

    /// A proxy that only passes TLS of the public web on sees nothing.
    fn is_open_to_proxy(&self) -> bool {
        let plain = || {
            let mut urls = self.base_urls.iter();
            urls.any(|url| !url.starts_with("https://"))
        };
        self.outbound.proxy.is_some() && (!self.outbound.ca_pem.is_empty() || plain())
    }
}

/// Scheme, host and port of a base URL; the usual port is left out.
fn origin(url: &str) -> String {
    let url = url.to_ascii_lowercase();
    let origin = url.split('/').take(3).collect::<Vec<_>>().join("/");
    let usual = match origin.starts_with("https://") {
        true => ":443",
        false => ":80",
    };
    let short = origin.strip_suffix(usual).map(str::to_owned);
    short.unwrap_or(origin)
}

#[cfg(test)]
mod tests {
    use super::super::ProviderKind;
    use super::*;

    fn provider(url: &str, proxy: &str, ca_pem: &str) -> Provider {
        let mut provider = Provider::new("main", ProviderKind::Openai, url);
        provider.outbound.proxy = proxy.parse().ok();
        provider.outbound.ca_pem = ca_pem.to_owned();
        provider
    }

    fn field(before: &Provider, after: &Provider) -> Option<String> {
        after
            .keeps_credential_of(before)
            .err()
            .map(|invalid| invalid.field)
    }

    #[test]
    fn f01_a_credential_stays_with_the_hosts_it_was_given_for() {
        let main = provider("https://api.example/v1", "", "");
        for same in ["https://api.example/v2", "https://API.example:443/v1"] {
            assert_eq!(field(&main, &provider(same, "", "")), None, "{same}");
        }
        for other in [
            "https://api.example.evil.example/v1",
            "https://api.example:8443/v1",
            "http://api.example/v1",
        ] {
            let other = field(&main, &provider(other, "", ""));
            assert_eq!(other.as_deref(), Some("base_urls"));
        }
        let mut second = main.clone();
        second.base_urls.push("https://evil.example".to_owned());
        assert_eq!(field(&main, &second).as_deref(), Some("base_urls"));
        assert_eq!(field(&second, &main), None, "one less is shown nothing");
    }

    #[test]
    fn f01_a_credential_is_shown_to_no_new_proxy_that_can_look_into_it() {
        let (https, http) = ("https://api.example", "http://api.example");
        let open = Some("outbound.proxy");
        let of = |before: &Provider, after: &Provider| field(before, after);
        let plain = provider(https, "", "");
        let tunnelled = provider(https, "http://p:1", "");
        let read = provider(https, "http://p:1", "PEM");
        assert_eq!(of(&plain, &tunnelled), None, "it passes TLS on");
        assert_eq!(of(&plain, &read).as_deref(), open);
        assert_eq!(of(&tunnelled, &read).as_deref(), open);
        assert_eq!(of(&provider(https, "", "PEM"), &read).as_deref(), open);
        assert_eq!(of(&read, &read), None);
        assert_eq!(of(&read, &plain), None);
        let through = provider(http, "http://p:1", "");
        assert_eq!(of(&provider(http, "", ""), &through).as_deref(), open);
        assert_eq!(of(&through, &through), None);
    }
}
