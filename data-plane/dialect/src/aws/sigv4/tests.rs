//! Against AWS's published test suite for version 4 and the worked example of its documentation.

use super::*;

const DATE: &str = "20150830T123600Z";
/// 2015-08-30T12:36:00Z.
const AT: UnixMs = UnixMs(1_440_938_160_000);
const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn signer(service: &str) -> Signer {
    Signer {
        access_key_id: "AKIDEXAMPLE".to_owned(),
        secret_access_key: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
        session_token: None,
        region: "us-east-1".to_owned(),
        service: service.to_owned(),
    }
}

/// The signature of a request of the suite, all of whose headers are signed.
fn signature(method: &str, target: &str, more: &[(&'static str, &str)], body: &str) -> (String, String) {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-date", DATE.parse().unwrap());
    for (name, value) in more {
        headers.append(*name, value.parse().unwrap());
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Canonical {
        method,
        path,
        query,
        headers: canonical_headers(&headers, "example.amazonaws.com", |_| true),
        body_sha256: &hex::encode(Sha256::digest(body)),
    };
    let authorization = signer("service").authorization(&request, DATE);
    let signed = authorization
        .split("SignedHeaders=")
        .nth(1)
        .and_then(|rest| rest.split_once(", Signature="))
        .unwrap();
    let prefix = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, ";
    assert!(authorization.starts_with(prefix), "{authorization}");
    (signed.0.to_owned(), signed.1.to_owned())
}

fn check(name: &str, (method, target): (&str, &str), more: &[(&'static str, &str)], expected: &str) {
    let (_, signature) = signature(method, target, more, "");
    assert_eq!(signature, expected, "{name}");
}

#[test]
fn f02_the_suites_requests_without_a_body_are_signed_as_aws_signs_them() {
    let vanilla = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    check("get-vanilla", ("GET", "/"), &[], vanilla);
    check(
        "post-vanilla",
        ("POST", "/"),
        &[],
        "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
    );
    check(
        "get-unreserved",
        (
            "GET",
            "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        ),
        &[],
        "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
    );
    check(
        "get-utf8",
        ("GET", "/ሴ"),
        &[],
        "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
    );
}

#[test]
fn f02_the_suites_queries_are_sorted_and_encoded() {
    check(
        "get-vanilla-query-order-key-case",
        ("GET", "/?Param2=value2&Param1=value1"),
        &[],
        "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    );
    check(
        "get-vanilla-empty-query-key",
        ("GET", "/?Param1=value1"),
        &[],
        "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb",
    );
    check(
        "get-vanilla-query-unreserved",
        (
            "GET",
            "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        ),
        &[],
        "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197",
    );
    check(
        "get-vanilla-utf8-query",
        ("GET", "/?%E1%88%B4=bar"),
        &[],
        "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04",
    );
    check(
        "post-vanilla-query",
        ("POST", "/?Param1=value1"),
        &[],
        "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11",
    );
}

#[test]
fn f02_the_suites_headers_are_trimmed_joined_and_sorted() {
    check(
        "get-header-key-duplicate",
        ("GET", "/"),
        &[
            ("my-header1", "value2"),
            ("my-header1", "value2"),
            ("my-header1", "value1"),
        ],
        "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
    );
    check(
        "get-header-value-order",
        ("GET", "/"),
        &[
            ("my-header1", "value4"),
            ("my-header1", "value1"),
            ("my-header1", "value3"),
            ("my-header1", "value2"),
        ],
        "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01",
    );
    check(
        "get-header-value-trim",
        ("GET", "/"),
        &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
        "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
    );
    check(
        "post-header-value-case",
        ("POST", "/"),
        &[("my-header1", "VALUE1")],
        "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
    );
}

#[test]
fn f02_the_suites_body_is_part_of_the_signature() {
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let (names, signature) = signature("POST", "/", &form, "Param1=value1");
    assert_eq!(names, "content-type;host;x-amz-date");
    assert_eq!(
        signature,
        "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
    );
}

#[test]
fn f02_the_documentations_example_is_signed_as_it_says() {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-date", DATE.parse().unwrap());
    let form = "application/x-www-form-urlencoded; charset=utf-8";
    headers.insert("content-type", form.parse().unwrap());
    let request = Canonical {
        method: "GET",
        path: "/",
        query: "Action=ListUsers&Version=2010-05-08",
        headers: canonical_headers(&headers, "iam.amazonaws.com", is_signed),
        body_sha256: EMPTY,
    };
    assert_eq!(
        hex::encode(Sha256::digest(request.text())),
        "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"
    );
    let authorization = signer("iam").authorization(&request, DATE);
    let signature = "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
    assert!(authorization.ends_with(signature), "{authorization}");
}

#[test]
fn f02_a_model_with_a_colon_is_encoded_twice() {
    let request = Canonical {
        method: "POST",
        path: "/model/anthropic.claude-v1%3A0/invoke",
        query: "",
        headers: Vec::new(),
        body_sha256: EMPTY,
    };
    let path = request.text().lines().nth(1).unwrap().to_owned();
    assert_eq!(path, "/model/anthropic.claude-v1%253A0/invoke");
}

#[test]
fn f02_a_signed_request_has_its_headers_and_none_of_the_callers() {
    let mut signer = signer("bedrock");
    signer.session_token = Some(Secret::new("session-token"));
    let uri: Uri = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/invoke"
        .parse()
        .unwrap();
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    headers.insert("user-agent", "anything".parse().unwrap());
    headers.insert("authorization", "Bearer of-the-caller".parse().unwrap());
    headers.insert("x-amz-security-token", "of-the-caller".parse().unwrap());
    let body = Sha256::digest(b"{}").into();
    signer.sign(&Method::POST, &uri, &mut headers, body, AT).unwrap();
    assert_eq!(headers["x-amz-date"], DATE);
    assert_eq!(headers["x-amz-security-token"], "session-token");
    assert!(headers["x-amz-security-token"].is_sensitive());
    assert_eq!(
        headers["x-amz-content-sha256"],
        "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
    );
    let signed = headers["authorization"].to_str().unwrap().to_owned();
    let names = "SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token,";
    assert!(signed.contains(names), "{signed}");
    assert!(headers["authorization"].is_sensitive());
    let again = headers.clone();
    signer.sign(&Method::POST, &uri, &mut headers, body, AT).unwrap();
    assert_eq!(headers, again, "signing again changes nothing");
}

#[test]
fn the_host_is_named_as_it_is_sent() {
    let named = |uri: &str| host(&uri.parse().unwrap()).unwrap();
    assert_eq!(named("https://a.example:443/"), "a.example");
    assert_eq!(named("http://a.example:8080/"), "a.example:8080");
    assert_eq!(named("http://127.0.0.1:80/"), "127.0.0.1");
    assert_eq!(host(&"/path".parse().unwrap()), None);
}

#[test]
fn a_date_is_said_to_the_second() {
    assert_eq!(amz_date(UnixMs(AT.0 + 999)).as_deref(), Some(DATE));
    assert_eq!(amz_date(UnixMs(i64::MAX)), None);
}
