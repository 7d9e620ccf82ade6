//! Every row of the specification's table of upstream errors, with the provider's own bytes: status, headers, body,
//! and what it means. Read it as the table.

use std::collections::BTreeSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use penstock_core::failure::{
    Answered, Class, ErrorRules, Finding, Network, Repeat, Scope, of_answer, of_event, of_network,
};
use penstock_core::provider::ProviderKind;
use penstock_core::time::UnixMs;
use penstock_dialect::upstream_error::{ErrorHead, UpstreamError};

/// 2026-11-26T00:00:00Z.
const NOW: UnixMs = UnixMs(1_795_651_200_000);

/// An error in the shape of its vendor.
enum Said {
    /// `error.type`, `error.message`.
    Anthropic(&'static str, &'static str),
    /// `error.details.error_code`.
    AnthropicCode(&'static str, &'static str),
    /// `error.type`, `error.code`, `error.message`.
    Openai(&'static str, &'static str, &'static str),
    /// `error.status`, `error.message`, `error.details`.
    Google(&'static str, &'static str, &'static str),
    /// `x-amzn-errortype`, `message`.
    Bedrock(&'static str, &'static str),
    /// `error.code`, `error.message`.
    Azure(&'static str, &'static str),
    Raw(&'static str),
}
use Said::{Anthropic, AnthropicCode, Azure, Bedrock, Google, Openai, Raw};

const PAGE: Said =
    Raw("<!DOCTYPE html><html><head><title>Attention Required! | Cloudflare</title></head></html>");
const BAD: &str = "invalid_request_error";

/// Rows that are not the error answer of a provider, and where they are tested.
const ELSEWHERE: &[(u8, &str)] = &[
    (30, "an event in a stream: events_inside_a_200"),
    (48, "an event in a stream: events_inside_a_200"),
    (49, "an answer with content_filter is an answer"),
    (61, "an answer that Gemini blocked is an answer"),
    (73, "a frame in a stream: events_inside_a_200"),
    (81, "no answer: what_is_no_answer"),
    (82, "no answer: what_is_no_answer"),
];

#[rustfmt::skip]
const ROWS: &[(&str, u16, &str, Said, &str)] = &[
    // row  status headers                              what is said                                                             means
    ("1",  400, "", Anthropic(BAD, "prompt is too long: 210000 tokens > 200000 maximum"),                                        "X"),
    ("2",  400, "", Anthropic(BAD, "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),               "X"),
    ("3",  400, "", Anthropic(BAD, "tools.0.custom.defer: Extra inputs are not permitted"),                                      "C"),
    ("3",  400, "", Anthropic(BAD, "Unexpected value(s) for the `anthropic-beta` header: x-2020"),                               "C"),
    ("4",  400, "", Anthropic(BAD, "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing"),  "B 3600s"),
    ("4",  400, "", Anthropic(BAD, "credit balance is too low to access the Anthropic API"),                                     "B 3600s"),
    ("5",  400, "", Anthropic(BAD, "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."), "B until 2026-12-01T00:00:00Z"),
    ("5",  400, "", Anthropic(BAD, "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC."), "B until 2026-12-01T00:00:00Z"),
    ("6",  400, "", AnthropicCode("organization_on_hold", "This organization has been disabled."),                               "K 30s permanent"),
    ("6",  400, "", Anthropic(BAD, "This organization has been disabled."),                                                      "K 30s permanent"),
    ("7",  400, "", AnthropicCode("claude_code_version_too_old", "Please update Claude Code"),                                   "C"),
    ("8",  400, "", AnthropicCode("cmek_key_disabled", "The key is disabled"),                                                   "K 30s"),
    ("8",  400, "", AnthropicCode("cmek_key_network_blocked", "The key cannot be reached"),                                      "K 30s"),
    ("9",  400, "", Anthropic(BAD, "messages.1.content.0: Invalid `signature` in `thinking` block"),                             "A"),
    ("9",  400, "", Anthropic(BAD, "messages.3.content.1: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified."), "A"),
    ("10", 400, "", Anthropic(BAD, "Output blocked by content filtering policy"),                                                "F"),
    ("11", 400, "", AnthropicCode("thread_already_continued", "The thread was continued"),                                       "A"),
    ("11", 404, "", AnthropicCode("thread_not_found", "No such thread"),                                                         "A"),
    ("12", 401, "", Anthropic("authentication_error", "invalid x-api-key"),                                                      "K 30s"),
    ("12", 401, "", Anthropic("authentication_error", "Invalid bearer token"),                                                   "K 30s"),
    ("13", 401, "", Anthropic("authentication_error", "OAuth token has expired. Please obtain a new token"),                     "K 30s"),
    ("13", 401, "", Anthropic("authentication_error", "OAuth token has been revoked."),                                          "K 30s"),
    ("14", 402, "", Anthropic("billing_error", "Your organization has an unpaid invoice"),                                       "B 3600s"),
    ("15", 402, "", AnthropicCode("linked_organization_required", "Link an organization"),                                       "C"),
    ("15", 403, "", AnthropicCode("user_profile_not_billable", "The profile cannot be billed"),                                  "C"),
    ("16", 403, "", Anthropic("permission_error", "Your API key does not have permission to use the specified model."),          "N model 600s"),
    ("16", 403, "", Anthropic("permission_error", "Your organization does not have permission to use `claude-opus-9`."),         "N model 600s"),
    ("16", 403, "", Anthropic("permission_error", "Your API key does not have permission to use the specified resource."),       "N model nothing"),
    ("16", 403, "", Anthropic("permission_error", "Your organization does not have permission to use the skills beta"),          "N model nothing"),
    ("16", 403, "", Anthropic("permission_error", "Your organization does not have permission to use the model context protocol beta"), "N model nothing"),
    ("16", 403, "", Anthropic("permission_error", "OAuth token does not meet scope requirement user:inference"),                 "N model nothing"),
    ("17", 403, "content-type: text/html", PAGE,                                                                                 "U"),
    ("17", 403, "", Anthropic("forbidden", "Request not allowed"),                                                               "K route 30s"),
    ("18", 404, "", Anthropic("not_found_error", "model: claude-opus-9"),                                                        "N model 600s"),
    ("19", 409, "", Anthropic("conflict_error", "The resource was changed"),                                                     "T again"),
    ("20", 413, "", Anthropic("request_too_large", "Request exceeds the maximum size"),                                          "C"),
    ("20", 413, "content-type: text/html", PAGE,                                                                                 "C"),
    ("21", 429, "retry-after: 17", Anthropic("rate_limit_error", "This request would exceed your organization's rate limit of 80,000 input tokens per minute"), "R model until +17s"),
    ("21", 429, "", Anthropic("rate_limit_error", "This request would exceed the rate limit for your organization of 50 requests per minute"), "R model 60s..1800s"),
    ("22", 429, "", Anthropic("rate_limit_error", "Number of concurrent connections has exceeded your rate limit."),             "R model 5s..60s"),
    ("23", 429, "", AnthropicCode("ramp_limit_exceeded", "acceleration limit"),                                                  "R model 60s..1800s"),
    ("24", 429, "", AnthropicCode("enforced_spend_limit_reached", "spend limit"),                                                "B 3600s"),
    ("24", 429, "", AnthropicCode("contract_spend_limit_reached", "spend limit"),                                                "B 3600s"),
    ("25", 429, "anthropic-ratelimit-unified-status: rejected\nanthropic-ratelimit-unified-reset: 1795654800", Anthropic("rate_limit_error", "This request would exceed your account's rate limit."), "R model until +3600s"),
    ("26", 500, "", Anthropic("api_error", "Internal server error"),                                                             "T again"),
    ("27", 503, "", AnthropicCode("cmek_context_unavailable", "try later"),                                                      "T again"),
    ("27", 503, "", AnthropicCode("cmek_key_unreachable", "try later"),                                                          "T again"),
    ("28", 504, "", Anthropic("timeout_error", "Request timed out"),                                                             "T"),
    ("29", 529, "", Anthropic("overloaded_error", "Overloaded"),                                                                 "O model 10s..600s again"),
    ("31", 502, "content-type: text/html", PAGE,                                                                                 "T again"),
    ("31", 520, "", PAGE,                                                                                                        "T again"),
    ("31", 526, "", PAGE,                                                                                                        "T again"),
    ("32", 400, "", Openai(BAD, "context_length_exceeded", "This model's maximum context length is 128000 tokens."),             "X"),
    ("32", 400, "", Openai(BAD, "", "Your input exceeds the context window of this model."),                                     "X"),
    ("33", 400, "", Openai(BAD, "unsupported_parameter", "Unsupported parameter: 'max_tokens'"),                                 "C"),
    ("33", 400, "", Openai(BAD, "unknown_parameter", "Unknown parameter: 'x'"),                                                  "C"),
    ("33", 400, "", Openai(BAD, "invalid_value", "Invalid value: 'x'"),                                                          "C"),
    ("34", 400, "", Openai(BAD, "content_policy_violation", "Your request was rejected"),                                        "F"),
    ("34", 400, "", Openai(BAD, "invalid_prompt", "Invalid prompt"),                                                             "F"),
    ("34", 400, "", Openai(BAD, "cyber_policy", "Refused"),                                                                      "F"),
    ("34", 400, "", Openai(BAD, "", "Your request was rejected as a result of our safety system."),                              "F"),
    ("35", 400, "", Openai(BAD, "invalid_encrypted_content", "x"),                                                               "A"),
    ("35", 400, "", Openai(BAD, "", "The encrypted content gAAA... could not be verified."),                                     "A"),
    ("36", 400, "", Openai(BAD, "previous_response_not_found", "Previous response with id 'resp_1' not found."),                 "A"),
    ("36", 404, "", Openai(BAD, "previous_response_not_found", "Previous response with id 'resp_1' not found."),                 "A"),
    ("37", 400, "", Raw(r#"{"error":{"message":"Invalid service_tier argument","type":"invalid_request_error","param":"service_tier","code":null}}"#), "N model nothing"),
    ("38", 401, "", Openai(BAD, "invalid_api_key", "Incorrect API key provided: sk-ab***yz."),                                   "K 30s"),
    ("39", 401, "", Openai(BAD, "", "You must be a member of an organization to use the API."),                                  "K 30s"),
    ("39", 401, "", Openai(BAD, "", "IP not authorized"),                                                                        "K 30s"),
    ("40", 403, "", Openai("request_forbidden", "unsupported_country_region_territory", "Country, region, or territory not supported"), "K route 30s"),
    ("41", 404, "", Openai(BAD, "model_not_found", "The model `gpt-9` does not exist or you do not have access to it."),         "N model 600s"),
    ("41", 403, "", Openai(BAD, "", "The model `gpt-9` does not exist or you do not have access to it."),                        "N model 600s"),
    ("42", 429, "", Openai("requests", "rate_limit_exceeded", "Rate limit reached for gpt-5.5 in organization org-x on requests per min: Limit 3. Please try again in 1.5s."), "R model until +1.5s"),
    ("42", 429, "", Openai("requests", "rate_limit_exceeded", "Rate limit reached for gpt-5.5. Please try again in 20ms."),      "R model until +0.02s"),
    ("42", 429, "", Openai("requests", "rate_limit_exceeded", "Rate limit reached for gpt-5.5. Please try again in 6m0s."),      "R model until +360s"),
    ("42", 429, "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 6m0s", Openai("requests", "rate_limit_exceeded", "Slow down"), "R model until +360s"),
    ("42", 429, "retry-after-ms: 250\nretry-after: 1", Openai("requests", "rate_limit_exceeded", "Slow down"),                   "R model until +0.25s"),
    ("43", 429, "", Openai("tokens", "rate_limit_exceeded", "Request too large for gpt-5.5 in organization org-x on tokens per min (TPM): Limit 30000, Requested 60000."), "N model nothing"),
    ("44", 429, "", Openai("insufficient_quota", "insufficient_quota", "You exceeded your current quota, please check your plan and billing details."), "B 3600s"),
    ("44", 429, "", Openai("insufficient_quota", "credit_balance_exhausted", "x"),                                               "B 3600s"),
    ("44", 429, "", Openai("", "organization_spend_limit_exceeded", "x"),                                                        "B 3600s"),
    ("44", 429, "", Openai("", "project_spend_limit_exceeded", "x"),                                                             "B 3600s"),
    ("44", 429, "", Openai("", "organization_usage_limit_exceeded", "x"),                                                        "B 3600s"),
    ("45", 429, "", Openai("", "slow_down", "Slow down"),                                                                        "O model 10s..600s again"),
    ("45", 503, "", Openai("", "server_is_overloaded", "Busy"),                                                                  "O model 10s..600s again"),
    ("45", 503, "", Openai("", "", "That model is currently overloaded with other requests."),                                   "O model 10s..600s again"),
    ("46", 429, "", Raw(r#"{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_at":1795658400}}"#), "R model until +7200s"),
    ("47", 500, "", Openai("server_error", "", "The server had an error while processing your request."),                        "T again"),
    ("50", 400, "", Google("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", r#"[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]"#), "K 30s"),
    ("50", 400, "", Google("INVALID_ARGUMENT", "API key expired. Please renew the API key.", "[]"),                              "K 30s"),
    ("51", 400, "", Google("INVALID_ARGUMENT", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", "[]"), "X"),
    ("52", 400, "", Google("FAILED_PRECONDITION", "User location is not supported for the API use.", "[]"),                      "K route 30s"),
    ("52", 400, "", Google("FAILED_PRECONDITION", "Gemini API free tier is not available in your country. Please enable billing", "[]"), "B 3600s"),
    ("53", 401, "", Google("UNAUTHENTICATED", "Request had invalid authentication credentials.", "[]"),                          "K 30s"),
    ("54", 402, "", Google("RESOURCE_EXHAUSTED", "Your prepaid credit is used up.", "[]"),                                       "B 3600s"),
    ("55", 403, "", Google("PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key.", "[]"),       "K 30s permanent"),
    ("55", 403, "", Google("PERMISSION_DENIED", "Generative Language API has not been used in project 1 before or it is disabled.", r#"[{"reason":"SERVICE_DISABLED"}]"#), "K 30s"),
    ("55", 403, "", Google("PERMISSION_DENIED", "This API method requires billing to be enabled.", r#"[{"reason":"BILLING_DISABLED"}]"#), "B 3600s"),
    ("55", 403, "", Google("PERMISSION_DENIED", "Consumer has been suspended.", r#"[{"reason":"CONSUMER_SUSPENDED"}]"#),         "K 30s permanent"),
    ("56", 404, "", Google("NOT_FOUND", "models/gemini-9 is not found for API version v1beta, or is not supported", "[]"),       "N model 600s"),
    ("57", 429, "", Google("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.", r#"[{"@type":"QuotaFailure","violations":[{"quotaId":"GenerateRequestsPerMinutePerProjectPerModel"}]},{"@type":"RetryInfo","retryDelay":"37s"}]"#), "R model until +37s"),
    ("57", 429, "", Google("RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan and billing details.", "[]"), "R model 60s..1800s"),
    ("58", 429, "", Google("RESOURCE_EXHAUSTED", "You exceeded your current quota", r#"[{"violations":[{"quotaId":"GenerateRequestsPerMinute"},{"quotaId":"GenerateRequestsPerDayPerProject"}]},{"retryDelay":"37s"}]"#), "R model until 2026-11-26T08:00:00Z"),
    ("59", 499, "", Google("CANCELLED", "The operation was cancelled.", "[]"),                                                   "C"),
    ("59", 504, "", Google("DEADLINE_EXCEEDED", "Deadline expired before operation could complete.", "[]"),                      "T"),
    ("60", 500, "", Google("INTERNAL", "An internal error has occurred.", "[]"),                                                 "T again"),
    ("60", 503, "", Google("UNAVAILABLE", "The model is overloaded. Please try again later.", "[]"),                             "O model 10s..600s again"),
    ("62", 400, "", Bedrock("ValidationException", "Input is too long for requested model."),                                    "X"),
    ("62", 400, "", Bedrock("ValidationException", "too many input tokens"),                                                     "X"),
    ("63", 400, "", Bedrock("ValidationException", "Invocation of model ID anthropic.x with on-demand throughput isn’t supported. Retry with an inference profile"), "N model 600s"),
    ("63", 400, "", Bedrock("ValidationException", "The provided model identifier is invalid."),                                 "N model 600s"),
    ("64", 400, "", Bedrock("ValidationException", "Malformed input request: #: extraneous key [stream] is not permitted"),      "C"),
    ("65", 400, "", Bedrock("ServiceQuotaExceededException", "quota"),                                                           "R model 300s..1800s"),
    ("66", 403, "", Bedrock("AccessDeniedException", "You don't have access to the model with the specified model ID."),         "N model 600s"),
    ("66", 403, "", Bedrock("MPAgreementBeingCreated", "The agreement is being created"),                                        "N model 120s..600s"),
    ("67", 403, "", Bedrock("UnrecognizedClientException", "The security token included in the request is invalid."),            "K 30s"),
    ("67", 403, "", Bedrock("InvalidSignatureException", "Signature expired"),                                                   "K 30s"),
    ("67", 403, "", Bedrock("ExpiredTokenException", "The security token included in the request is expired"),                   "K 30s"),
    ("67", 403, "", Raw(r#"{"message":"The security token included in the request is expired"}"#),                               "K 30s"),
    ("67", 400, "", Bedrock("IncompleteSignature", "x"),                                                                         "K 30s"),
    ("68", 404, "", Bedrock("ResourceNotFoundException", "Model use case details have not been submitted for this account."),    "N model 600s"),
    ("68", 404, "", Bedrock("FTUFormNotFilled", "x"),                                                                            "N model 600s"),
    ("69", 408, "", Bedrock("ModelTimeoutException", "Model has timed out"),                                                     "T"),
    ("69", 424, "", Bedrock("ModelErrorException", "The model failed"),                                                          "T again"),
    ("70", 429, "", Bedrock("ThrottlingException", "Too many requests, please wait before trying again."),                       "R model 10s..1800s"),
    ("70", 429, "", Raw(r#"{"__type":"com.amazon.coral.service#ThrottlingException","message":"Too many tokens, please wait before trying again."}"#), "R model 10s..1800s"),
    ("71", 429, "", Bedrock("ThrottlingException", "Too many tokens per day, please wait before trying again."),                 "R model 3600s..21600s"),
    ("72", 429, "", Bedrock("ModelNotReadyException", "The model is not ready"),                                                 "T again"),
    ("72", 503, "", Bedrock("ServiceUnavailableException", "Bedrock is unable to process your request."),                        "O model 10s..600s again"),
    ("74", 400, "", Raw(r#"{"error":{"code":"content_filter","message":"The response was filtered due to the prompt triggering Azure OpenAI's content management policy.","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#), "F"),
    ("74", 400, "", Raw(r#"{"error":{"code":null,"message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}"#),        "F"),
    ("75", 401, "", Azure("401", "Access denied due to invalid subscription key or wrong API endpoint."),                        "K 30s"),
    ("76", 403, "", Azure("AccessDenied", "Access denied due to Virtual Network/Firewall rules."),                               "K 30s"),
    ("76", 403, "", Azure("403", "Your resource has been temporarily blocked because we detected behavior that may violate our content policy."), "K 30s"),
    ("77", 404, "", Azure("DeploymentNotFound", "The API deployment for this resource does not exist."),                         "N model 600s"),
    ("78", 429, "", Azure("429", "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 26 seconds."), "R model until +26s"),
    ("78", 429, "retry-after: 86400", Azure("429", "Requests to the x have exceeded call rate limit of your tier. Please retry after 86400 seconds."), "R model until +600s"),
    ("79", 429, "", Azure("429", "The system is currently experiencing high demand and cannot process your request."),           "O model 10s..600s again"),
    ("80", 403, "", Google("PERMISSION_DENIED", "Permission 'aiplatform.endpoints.predict' denied on resource '//x'", "[]"),     "K 30s"),
    ("80", 404, "", Google("NOT_FOUND", "Publisher Model `projects/p/x` not found.", "[]"),                                      "N model 600s"),
    ("80", 429, "", Google("RESOURCE_EXHAUSTED", "Resource exhausted, please try again later.", "[]"),                           "O model 10s..600s again"),
    ("83", 403, "x-deny-reason: host_not_allowed", Raw("Host not in allowlist"),                                                 "T route"),
    // What no row knows.
    ("default", 403, "", Anthropic("permission_error", "No."),                                                                   "U"),
    ("default", 403, "", Google("PERMISSION_DENIED", "You do not have permission to access the File abc", "[]"),                 "U"),
    ("default", 400, "", Anthropic(BAD, "messages.0: `Your credit balance is too low` is not a role"),                           "C"),
    ("default", 404, "", Anthropic("not_found_error", "No such file"),                                                           "C"),
    ("default", 401, "", Raw(""),                                                                                                "K 30s"),
    ("default", 503, "content-type: text/html", PAGE,                                                                            "T again"),
    ("page",    404, "content-type: text/html", PAGE,                                                                            "U"),
    ("page",    401, "", PAGE,                                                                                                   "U"),
];

#[test]
fn every_row_of_the_table_means_what_it_says() {
    let wrong: Vec<String> = ROWS.iter().filter_map(differs).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn differs((row, status, headers, said, means): &(&str, u16, &str, Said, &str)) -> Option<String> {
    let (shape, body) = body(said);
    let head = head(&format!("{headers}\n{shape}"));
    let error = UpstreamError::read(body.as_bytes());
    // Relays pass on what other vendors say, so the kind must not matter.
    for kind in ProviderKind::ALL {
        let seen = Answered {
            model: Some("claude-opus-9"),
            ..error.answered(&head, "main", kind, *status)
        };
        let finding = of_answer(&ErrorRules::default(), &seen, NOW);
        let found = (finding.row, describe(&finding));
        if found != (*row, (*means).to_owned()) {
            return Some(format!("row {row} ({means}): {found:?} for {status} {body}"));
        }
    }
    None
}

#[test]
fn b05_a_body_without_what_errors_have_is_no_answer_of_an_api() {
    for (status, body) in [
        (404, "default backend - 404"),
        (404, ""),
        (404, r#"{"detail":"Not Found"}"#),
        (405, r#"{"detail":"Method Not Allowed"}"#),
        (405, "Method Not Allowed"),
        (400, "Client sent an HTTP request to an HTTPS server."),
        (
            404,
            r#"{"timestamp":"2026-11-26T00:00:00Z","status":404,"error":"Not Found","path":"/v1/messages"}"#,
        ),
        (
            404,
            r#"{"type":"https://tools.ietf.org/html/rfc9110","title":"Not Found","status":404}"#,
        ),
        (
            404,
            r#"{"type":"error","error":{"type":"not_found_error","message":"Not Found"}}"#,
        ),
    ] {
        let error = UpstreamError::read(body.as_bytes());
        let head = ErrorHead::default();
        let seen = error.answered(&head, "main", ProviderKind::Anthropic, status);
        let finding = of_answer(&ErrorRules::default(), &seen, NOW);
        assert_eq!(
            (finding.row, describe(&finding)),
            ("82", "T endpoint".to_owned()),
            "{body}"
        );
    }
    for (status, headers, body) in [
        (
            422,
            "",
            r#"{"detail":[{"loc":["body","messages"],"msg":"field required"}]}"#,
        ),
        (400, "", r#"{"message":"no"}"#),
        (404, "", r#"{"detail":"The model does not exist"}"#),
        (400, "", r#"{"error":"no"}"#),
        (413, "", ""),
        (400, "content-encoding: gzip", ""),
        (400, "x-amzn-errortype: SomeException", ""),
    ] {
        let error = UpstreamError::read(body.as_bytes());
        let head = head(headers);
        let seen = error.answered(&head, "main", ProviderKind::Anthropic, status);
        assert_eq!(
            describe(&of_answer(&ErrorRules::default(), &seen, NOW)),
            "C",
            "{body}"
        );
    }
}

#[test]
fn no_row_is_left_out() {
    let tested = ROWS.iter().filter_map(|(row, ..)| row.parse().ok());
    let named = ELSEWHERE.iter().map(|(row, _)| *row);
    let rows: BTreeSet<u8> = tested.chain(named).collect();
    assert_eq!(rows, (1..=83).collect());
}

#[test]
fn events_inside_a_200() {
    for (data, means) in [
        (
            r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
            "O model 10s..600s again",
        ),
        (
            r#"{"type":"error","error":{"type":"api_error","message":"Internal server error"}}"#,
            "T again",
        ),
        (
            r#"{"error":{"message":"The server had an error","type":"server_error","code":null}}"#,
            "T again",
        ),
        (
            r#"{"error":{"message":"x","type":"requests","code":"rate_limit_exceeded"}}"#,
            "R model 60s..1800s",
        ),
        (
            r#"{"error":{"code":503,"message":"x","status":"UNAVAILABLE"}}"#,
            "O model 10s..600s again",
        ),
        (
            r#"{"__type":"throttlingException","message":"Too many requests"}"#,
            "R model 10s..1800s",
        ),
    ] {
        let error = UpstreamError::read(data.as_bytes());
        let head = ErrorHead::default();
        let seen = error.answered(&head, "main", ProviderKind::OpenaiCompatible, 200);
        assert_eq!(
            describe(&of_event(&ErrorRules::default(), &seen, NOW)),
            means,
            "{data}"
        );
    }
}

#[test]
fn what_is_no_answer() {
    let means = |cause| describe(&of_network(cause));
    for cause in [
        Network::Dns,
        Network::Refused,
        Network::Reset,
        Network::Tls,
        Network::Eof,
    ] {
        assert_eq!(
            (of_network(cause).row, means(cause)),
            ("81", "T again".to_owned())
        );
    }
    assert_eq!(means(Network::BadAnswer), "T endpoint");
    assert_eq!(means(Network::Page), "U endpoint");
}

/// `class scope until|cooling permanent again`; what is usual is left out.
fn describe(finding: &Finding) -> String {
    let mut words = vec![finding.class.letter().to_string()];
    match finding.scope {
        Scope::Provider => {}
        Scope::Model => words.push("model".to_owned()),
        Scope::Route => words.push("route".to_owned()),
        Scope::Endpoint => words.push("endpoint".to_owned()),
    }
    match (finding.until, finding.cooling) {
        (Some(at), _) if at.0 - NOW.0 < 5 * 3_600_000 => {
            words.push(format!("until +{}s", (at.0 - NOW.0) as f64 / 1000.0));
        }
        (Some(at), _) => words.push(format!("until {at}")),
        (None, Some(cooling)) if cooling.first == cooling.cap => {
            words.push(format!("{}s", cooling.first.as_secs()));
        }
        (None, Some(cooling)) => {
            words.push(format!(
                "{}s..{}s",
                cooling.first.as_secs(),
                cooling.cap.as_secs()
            ));
        }
        (None, None) if finding.class == Class::NoModel => words.push("nothing".to_owned()),
        (None, None) => {}
    }
    if finding.permanent {
        words.push("permanent".to_owned());
    }
    if finding.repeat != Repeat::Never {
        words.push("again".to_owned());
    }
    words.join(" ")
}

/// A header of the shape, and the body.
fn body(said: &Said) -> (String, String) {
    let (mut header, value) = (String::new(), |text: &str| serde_json::Value::from(text));
    let body = match said {
        Anthropic(kind, message) => {
            format!(
                r#"{{"type":"error","error":{{"type":{},"message":{}}},"request_id":"req_1"}}"#,
                value(kind),
                value(message)
            )
        }
        AnthropicCode(code, message) => format!(
            r#"{{"type":"error","error":{{"type":"invalid_request_error","message":{},"details":{{"error_code":{}}}}}}}"#,
            value(message),
            value(code)
        ),
        Openai(kind, code, message) => format!(
            r#"{{"error":{{"message":{},"type":{},"param":null,"code":{}}}}}"#,
            value(message),
            value(kind),
            value(code)
        ),
        Google(status, message, details) => format!(
            r#"[{{"error":{{"code":400,"message":{},"status":{},"details":{details}}}}}]"#,
            value(message),
            value(status)
        ),
        Bedrock(kind, message) => {
            header = format!("x-amzn-errortype: {kind}:http://internal.amazon.com/coral/");
            format!(r#"{{"message":{}}}"#, value(message))
        }
        Azure(code, message) => format!(
            r#"{{"error":{{"code":{},"message":{}}}}}"#,
            value(code),
            value(message)
        ),
        Raw(text) => (*text).to_owned(),
    };
    (header, body)
}

fn head(lines: &str) -> ErrorHead {
    let headers = lines
        .lines()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| {
            let name = HeaderName::try_from(name).unwrap();
            (name, HeaderValue::try_from(value).unwrap())
        });
    ErrorHead::read(&headers.collect::<HeaderMap>(), NOW)
}
