//! Every error of a provider that means more than its status: the first row that fits decides.
//!
//! Numbers are those of the specification; one number may have several rows here. Rows stand in the order of what they
//! look at: headers and pages, structured codes, status with type, text alone (a test holds this). What no row knows
//! has the default of its status.

use super::Answered;
use super::row::Is::{Denied, ModelInPath, NoAnswer, OfModel, Page, Param, PlanUsedUp, Quota, Text, Word};
use super::row::Moment::{PacificMidnight, Plan, Within};
use super::row::{A, B, C, F, Is, K, Means, N, O, R, Row, T, U, X};

/// The row that decides, always one.
pub(super) fn find(seen: &Answered<'_>) -> &'static Row {
    let fits = |row: &&Row| row.fits(seen);
    TABLE
        .iter()
        .find(fits)
        .or_else(|| DEFAULTS.iter().find(fits))
        .or_else(|| FOREIGN.iter().find(|row| is_apis(seen.status) && row.fits(seen)))
        .unwrap_or(if seen.status < 500 { &OTHER } else { &SERVER })
}

/// What decides when no other row fits.
pub(super) fn rest() -> impl Iterator<Item = &'static Row> {
    FOREIGN.iter().chain([&OTHER, &SERVER])
}

const fn row(number: &'static str, statuses: &'static [u16], said: &'static [Is], means: Means) -> Row {
    Row {
        number,
        statuses,
        said,
        means,
    }
}

const ANY: &[u16] = &[];
const EDGE: &[u16] = &[502, 520, 521, 522, 523, 524, 525, 526];

#[rustfmt::skip]
pub(super) const TABLE: &[Row] = &[
    //   row   status            what is said                                                                means
    // Headers and pages.
    row("83", &[403],            &[Denied],                                                                  T.route().no_repeat()),
    row("25", &[429],            &[PlanUsedUp],                                                              R.moment(Plan)),
    row("17", &[403],            &[Page],                                                                    U),
    row("20", &[413],            &[Page],                                                                    C),
    row("31", EDGE,              &[Page],                                                                    T),

    // Structured codes. Anthropic.
    row("6",  ANY,               &[Word(&["organization_on_hold"])],                                         K.permanent()),
    row("7",  ANY,               &[Word(&["claude_code_version_too_old"])],                                  C),
    row("8",  ANY,               &[Word(&["cmek_key_disabled", "cmek_key_network_blocked", "cmek_network_blocked"])], K),
    row("11", ANY,               &[Word(&["thread_already_continued", "thread_not_found"])],                 A),
    row("15", ANY,               &[Word(&["linked_organization_*", "user_profile_not_billable"])],           C),
    row("23", ANY,               &[Word(&["ramp_limit_exceeded"])],                                          R),
    row("24", ANY,               &[Word(&["enforced_spend_limit_reached", "contract_spend_limit_reached"])], B),
    row("27", ANY,               &[Word(&["cmek_context_unavailable", "cmek_key_unreachable"])],             T),
    // OpenAI.
    row("32", ANY,               &[Word(&["context_length_exceeded"])],                                      X),
    row("33", ANY,               &[Word(&["unsupported_parameter", "unknown_parameter"])],                   C),
    row("34", ANY,               &[Word(&["content_policy_violation", "invalid_prompt", "cyber_policy"])],   F),
    row("35", ANY,               &[Word(&["invalid_encrypted_content"])],                                    A),
    row("36", ANY,               &[Word(&["previous_response_not_found"])],                                  A),
    row("37", &[400],            &[Param("service_tier")],                                                   N.stateless()),
    row("33", ANY,               &[Word(&["invalid_value"])],                                                C),
    row("38", ANY,               &[Word(&["invalid_api_key"])],                                              K),
    row("40", ANY,               &[Word(&["unsupported_country_region_territory"])],                         K.route()),
    row("41", ANY,               &[Word(&["model_not_found"])],                                              N),
    row("43", &[429],            &[Word(&["rate_limit_exceeded", "tokens"]), Text(&["Request too large for"])], N.stateless()),
    row("44", ANY,               &[Word(&["insufficient_quota", "credit_balance_exhausted", "organization_spend_limit_exceeded",
                                          "project_spend_limit_exceeded", "organization_usage_limit_exceeded"])], B),
    row("45", ANY,               &[Word(&["slow_down", "server_is_overloaded"])],                            O),
    row("46", ANY,               &[Word(&["usage_limit_reached"])],                                          R),
    row("42", ANY,               &[Word(&["rate_limit_exceeded"])],                                          R),
    // Google.
    row("50", ANY,               &[Word(&["API_KEY_INVALID", "API_KEY_EXPIRED"])],                           K),
    row("55", ANY,               &[Word(&["BILLING_DISABLED"])],                                             B),
    row("55", ANY,               &[Word(&["CONSUMER_SUSPENDED"])],                                           K.permanent()),
    row("55", ANY,               &[Word(&["SERVICE_DISABLED"])],                                             K),
    row("58", &[429],            &[Quota("PerDay")],                                                         R.moment(PacificMidnight)),
    row("57", &[429],            &[Quota("PerMinute")],                                                      R),
    // Bedrock.
    row("65", ANY,               &[Word(&["ServiceQuotaExceededException"])],                                R.guess(300, 1800)),
    row("66", ANY,               &[Word(&["MPAgreementBeingCreated"])],                                      N.guess(120, 600)),
    row("67", ANY,               &[Word(&["UnrecognizedClient*", "InvalidSignature*", "ExpiredToken*", "InvalidClientTokenId",
                                          "IncompleteSignature*", "RequestExpired"])],                       K),
    row("68", ANY,               &[Word(&["ResourceNotFoundException", "FTUFormNotFilled*"])],               N),
    row("69", ANY,               &[Word(&["ModelTimeoutException"])],                                        T.no_repeat()),
    row("69", ANY,               &[Word(&["ModelErrorException", "ModelStreamErrorException"])],             T),
    row("71", ANY,               &[Word(&["ThrottlingException"]), Text(&["Too many tokens per day"])],      R.guess(3600, 6 * 3600)),
    row("70", ANY,               &[Word(&["ThrottlingException"])],                                          R.guess(10, 1800)),
    row("72", ANY,               &[Word(&["ModelNotReadyException"])],                                       T),
    row("72", ANY,               &[Word(&["ServiceUnavailableException"])],                                  O),
    // Azure.
    row("74", &[400],            &[Word(&["content_filter", "ResponsibleAIPolicyViolation"])],               F),
    row("77", ANY,               &[Word(&["DeploymentNotFound"])],                                           N),

    // Status and type. Anthropic.
    row("12", &[401],            &[Word(&["authentication_error"]), Text(&["invalid x-api-key", "Invalid bearer token"])], K),
    row("13", &[401],            &[Word(&["authentication_error"]), Text(&["OAuth token"])],                 K),
    row("12", &[401],            &[Word(&["authentication_error"])],                                         K),
    row("14", &[402],            &[Word(&["billing_error"])],                                                B),
    row("16", &[403],            &[Word(&["permission_error"]), OfModel(&["Your organization does not have permission to use ", "Your API key does not have permission to use ",
                                          "Your account does not have permission to use ", "Your workspace does not have permission to use ",
                                          "Your plan does not have permission to use "])],               N),
    row("16", &[403],            &[Word(&["permission_error"]), Text(&["Your * does not have permission to use", "OAuth token does not meet scope requirement"])], N.stateless()),
    row("18", &[404],            &[Word(&["not_found_error"]), Text(&["model: "])],                          N),
    row("19", &[409],            &[Word(&["conflict_error"])],                                               T),
    row("20", &[413],            &[Word(&["request_too_large"])],                                            C),
    row("22", &[429],            &[Word(&["rate_limit_error"]), Text(&["Number of concurrent connections"])], R.guess(5, 60)),
    row("21", &[429],            &[Word(&["rate_limit_error"])],                                             R),
    row("28", &[504],            &[Word(&["timeout_error"])],                                                T.no_repeat()),
    row("29", ANY,               &[Word(&["overloaded_error"])],                                             O),
    row("26", &[500],            &[Word(&["api_error"])],                                                    T),
    // OpenAI.
    row("47", &[500],            &[Word(&["server_error"])],                                                 T),
    // Google.
    row("51", &[400],            &[Word(&["INVALID_ARGUMENT"]), Text(&["*input token count*exceeds the maximum"])], X),
    row("50", &[400],            &[Word(&["INVALID_ARGUMENT"]), Text(&["API key not valid", "API key expired"])], K),
    row("52", &[400],            &[Word(&["FAILED_PRECONDITION"]), Text(&["User location is not supported"])], K.route()),
    row("52", &[400],            &[Word(&["FAILED_PRECONDITION"]), Text(&["Gemini API free tier is not available in your country", "free tier is not available in your country"])], B),
    row("53", &[401],            &[Word(&["UNAUTHENTICATED"])],                                              K),
    row("54", &[402],            &[Word(&["RESOURCE_EXHAUSTED"])],                                           B),
    row("55", &[403],            &[Word(&["PERMISSION_DENIED"]), Text(&["Your API key was reported as leaked"])], K.permanent()),
    row("55", &[403],            &[Word(&["PERMISSION_DENIED"]), Text(&["Generative Language API has not been used in project", "Vertex AI API has not been used in project",
                                          "has not been used in project", "The caller does not have permission"])], K),
    row("80", &[403],            &[Word(&["PERMISSION_DENIED"]), Text(&["Permission *aiplatform.endpoints.predict* denied", "aiplatform.endpoints.predict denied"])], K),
    row("80", &[404],            &[Word(&["NOT_FOUND"]), Text(&["Publisher Model*not found"])],              N),
    row("56", &[404],            &[Word(&["NOT_FOUND"]), Text(&["models/*is not found for API version"])],   N),
    row("80", &[429],            &[Word(&["RESOURCE_EXHAUSTED"]), Text(&["Resource exhausted"])],            O),
    row("57", &[429],            &[Word(&["RESOURCE_EXHAUSTED"])],                                           R),
    row("59", &[499],            &[Word(&["CANCELLED"])],                                                    C),
    row("59", &[504],            &[Word(&["DEADLINE_EXCEEDED"])],                                            T.no_repeat()),
    row("60", &[500, 503],       &[Word(&["INTERNAL", "UNAVAILABLE"]), Text(&["The model is overloaded"])],  O),
    row("60", &[500],            &[Word(&["INTERNAL"])],                                                     T),
    row("60", &[503],            &[Word(&["UNAVAILABLE"])],                                                  O),
    // Bedrock.
    row("62", &[400],            &[Word(&["ValidationException"]), Text(&["Input is too long for requested model", "*too many input tokens"])], X),
    row("63", &[400],            &[Word(&["ValidationException"]), Text(&["Invocation of model ID*on-demand throughput isn*t supported",
                                          "The provided model identifier is invalid"])],                     N),
    row("64", &[400],            &[Word(&["ValidationException"]), Text(&["Malformed input request", "*extraneous key"])], C),
    row("66", &[403],            &[Word(&["AccessDeniedException"]), Text(&["You don*t have access to the model"])], N),

    // Text. Anthropic.
    row("1",  &[400, 413],       &[Text(&["*prompt is too long"])],                                          X),
    row("2",  &[400],            &[Text(&["*input length and `max_tokens` exceed context limit"])],          X),
    row("3",  &[400],            &[Text(&["*Extra inputs are not permitted", "Unexpected value(s) for the `anthropic-beta` header"])], C),
    row("4",  &[400, 402, 403],  &[Text(&["Your credit balance is too low", "credit balance is too low"])],  B),
    row("5",  &[400, 403, 429],  &[Text(&["You have reached your specified*API usage limits"])],             B),
    row("6",  &[400, 401, 403],  &[Text(&["This organization has been disabled"])],                          K.permanent()),
    row("9",  &[400],            &[Text(&["*Invalid `signature` in `thinking` block", "*thinking*blocks*cannot be modified"])], A),
    row("10", &[400],            &[Text(&["Output blocked by content filtering policy"])],                   F),
    row("17", &[403],            &[Text(&["Request not allowed"])],                                          K.route()),
    row("21", &[429],            &[Text(&["This request would exceed", "would exceed"])],                    R),
    // OpenAI.
    row("32", &[400],            &[Text(&["*maximum context length", "*exceeds the context window"])],       X),
    row("34", &[400],            &[Text(&["*usage policy", "*safety system"])],                              F),
    row("35", &[400],            &[Text(&["*encrypted content*could not be verified"])],                     A),
    row("37", &[400],            &[Text(&["Invalid service_tier argument"])],                                N.stateless()),
    row("38", &[401],            &[Text(&["Incorrect API key provided"])],                                   K),
    row("39", &[401],            &[Text(&["You must be a member of an organization", "IP not authorized"])], K),
    row("41", &[403, 404],       &[Text(&["The model*does not exist or you do not have access to it"])],     N),
    row("44", &[429],            &[Text(&["You exceeded your current quota"])],                              B),
    row("45", &[429, 500, 503],  &[Text(&["*currently overloaded"])],                                        O),
    row("42", &[429],            &[Text(&["Rate limit reached for"])],                                       R),
    // Bedrock.
    row("67", &[400, 403],       &[Text(&["The security token included in the request is"])],                K),
    row("68", &[403, 404],       &[Text(&["Model use case details have not been submitted"])],               N),
    row("70", &[429],            &[Text(&["Too many requests, please wait", "Too many tokens, please wait"])], R.guess(10, 1800)),
    row("72", &[503],            &[Text(&["*unable to process your request"])],                              O),
    // Azure.
    row("74", &[400],            &[Text(&["*content management policy"])],                                   F),
    row("75", &[401],            &[Text(&["Access denied due to invalid subscription key"])],                K),
    row("76", &[403],            &[Text(&["Access denied due to Virtual Network/Firewall rules",
                                          "Your resource has been temporarily blocked"])],                   K),
    row("77", &[404],            &[Text(&["The API deployment for this resource does not exist"])],          N),
    row("78", &[429],            &[Text(&["Requests to the*exceeded*rate limit"])],                          R.moment(Within(600))),
    row("79", &[429],            &[Text(&["*system is currently experiencing high demand"])],                O),
];

/// By status alone.
#[rustfmt::skip]
pub(super) const DEFAULTS: &[Row] = &[
    row("page",    &[400, 401, 402, 404, 407, 422], &[Page], U),
    row("default", &[401],                          &[],     K),
    row("default", &[402],                          &[],     B),
    row("default", &[403, 451],                     &[],     U),
    row("default", &[407],                          &[],     T.route().no_repeat()),
    row("default", &[408, 504],                     &[],     T.no_repeat()),
    row("default", &[409, 425],                     &[],     T),
    row("default", &[429],                          &[],     R),
    row("default", &[529],                          &[],     O),
];

/// A status of the caller's fault with which an API has something to say. What is too large, servers and edges refuse of
/// their own accord.
fn is_apis(status: u16) -> bool {
    (400..500).contains(&status) && ![413, 414, 431, 499].contains(&status)
}

/// A status of the caller's fault with a body that is no API's. Where callers write a part of the path, they could make
/// an edge say so at will: nothing is held against those.
#[rustfmt::skip]
const FOREIGN: &[Row] = &[
    row("82", ANY,          &[NoAnswer, ModelInPath],           U.no_answer()),
    row("82", ANY,          &[NoAnswer],                        T.no_answer()),
    row("82", &[404],       &[Text(&["Invalid URL ("])],        T.no_answer()),
];

/// 400, 404, 413, 422 and the rest.
static OTHER: Row = row("default", ANY, &[], C);

/// Any other status from 500 on.
static SERVER: Row = row("default", ANY, &[], T);
