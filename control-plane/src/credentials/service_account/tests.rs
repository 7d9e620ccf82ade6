//! Service accounts, with a key made here.

use aws_lc_rs::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

use super::*;

/// Made for these tests alone.
const KEY: &str = include_str!("test-key.pem");

pub(crate) fn file(token_uri: &str) -> Secret {
    let file = serde_json::json!({
        "type": "service_account",
        "project_id": "p",
        "private_key_id": "key-1",
        "private_key": KEY,
        "client_email": "gateway@p.iam.gserviceaccount.com",
        "token_uri": token_uri,
    });
    Secret::new(file.to_string())
}

fn account() -> ServiceAccount {
    read(&file("https://oauth2.googleapis.com/token")).ok().unwrap()
}

#[test]
fn f02_an_assertion_says_who_asks_for_what_and_is_signed() {
    let assertion = account().assertion(UnixMs(1_700_000_000_999)).ok().unwrap();
    let parts: Vec<&str> = assertion.expose().split('.').collect();
    let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).unwrap();
    let header: serde_json::Value = serde_json::from_slice(&decode(parts[0])).unwrap();
    assert_eq!(
        header,
        serde_json::json!({"alg": "RS256", "typ": "JWT", "kid": "key-1"})
    );
    let claims: serde_json::Value = serde_json::from_slice(&decode(parts[1])).unwrap();
    assert_eq!(
        claims,
        serde_json::json!({
            "iss": "gateway@p.iam.gserviceaccount.com",
            "scope": SCOPE,
            "aud": "https://oauth2.googleapis.com/token",
            "iat": 1_699_999_940,
            "exp": 1_700_003_540,
        })
    );
    let key = account().key().ok().unwrap();
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key().as_ref());
    let signed = [parts[0], parts[1]].join(".");
    public.verify(signed.as_bytes(), &decode(parts[2])).unwrap();
}

#[test]
fn f01_a_file_that_is_no_key_is_refused_without_being_quoted() {
    let problem = |text: &str| read(&Secret::new(text)).err().unwrap();
    assert_eq!(problem("hidden"), BadServiceAccount::NotAKeyFile);
    let user = file("u")
        .expose()
        .replace("\"service_account\"", "\"authorized_user\"");
    assert_eq!(problem(&user), BadServiceAccount::OtherType);
    let cut = file("u")
        .expose()
        .replace("PRIVATE KEY-----\\nMII", "PRIVATE KEY-----\\nAAA");
    assert_eq!(problem(&cut), BadServiceAccount::BadKey);
}
