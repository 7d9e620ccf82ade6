//! Why a provider answers so, and what to do about it: one entry for each row of the table and class that it gives.
//!
//! A test holds that no row is without.

use super::Class::{
    self, Billing as B, Caller as C, Credential as K, Filtered as F, ForeignState as A, Interrupted as M,
    NoModel as N, Overloaded as O, RateLimited as R, TooLong as X, Transient as T, Unrecognised as U,
};
use crate::error::Advice;

/// What is known of a row with this class; of one that nobody knows, what its class alone says.
pub(super) fn find(row: &str, class: Class) -> Advice {
    let entry = ROWS
        .iter()
        .find(|(number, of, _, _)| *number == row && *of == class);
    entry.map_or_else(|| of_class(class), |(_, _, cause, fix)| Advice::new(cause, fix))
}

/// Whether the row has an entry of its own.
#[cfg(test)]
pub(super) fn has(row: &str, class: Class) -> bool {
    ROWS.iter()
        .any(|(number, of, _, _)| *number == row && *of == class)
}

/// What a class says by itself.
#[rustfmt::skip]
pub(super) fn of_class(class: Class) -> Advice {
    let (cause, fix) = match class {
        C => ("The request is one that this provider does not take.", "Correct the request; the provider's words say where."),
        X => ("The conversation is longer than the model's context.", "Let the client compact or begin anew, or use a model with a larger context."),
        F => ("The provider's filter refused the content.", "Change the content. Nobody else is asked with it."),
        A => ("The conversation is bound to another account at the provider.", "Begin a new conversation; keep sessions with their provider (`penstock setting set routing --sticky 1h`)."),
        N => ("The account does not have this model.", "Name the models that it has with `penstock provider update P --model …`, or `--redirect` the name."),
        K => ("The provider refuses the credential.", "Give a new one: `penstock provider update P --api-key -`, or `penstock oauth login P`; then `penstock provider test P`."),
        B => ("The account at the provider has no money left, or reached a spend limit there.", "Pay or raise the limit at the provider, then `penstock provider reset P`."),
        R => ("The account's rate limit at the provider is used up.", "Wait; spread the load over more accounts, or hold the provider lower with `penstock provider update P --rpm … --tpm …`."),
        O => ("The provider has more load than it can take.", "Wait: others are asked meanwhile. Add a provider of another vendor or region."),
        T => ("The provider failed, or was not reached; it may work in a moment.", "`penstock provider test P`; when it lasts, look at the provider's status page, DNS and proxies (`penstock doctor`)."),
        M => ("The answer broke after its content had begun.", "The caller asks again. When it happens often: `penstock explain REQUEST_ID`, and look for proxies that cut long connections."),
        U => ("An answer that no rule knows: an edge's page, or a 403 without a reason.", "`penstock logs show REQUEST_ID` has the provider's words; `penstock error-rule create` says what such an answer means."),
    };
    Advice::new(cause, fix)
}

/// Number, class, cause, fix.
#[rustfmt::skip]
const ROWS: &[(&str, Class, &str, &str)] = &[
    // Anthropic.
    ("1", X, "The prompt has more tokens than the model takes.", "Let the client compact the conversation, or use a model with a larger context."),
    ("2", X, "Prompt and `max_tokens` together are larger than the context.", "Lower `max_tokens`, or compact the conversation."),
    ("3", C, "The request has a field or an `anthropic-beta` that this API does not know: a newer client, or a relay behind the base URL that knows less.", "Update the relay or leave the beta out; `penstock request-filter create --name drop --body FIELD` removes a field before it is sent."),
    ("4", B, "The account's prepaid credit is used up.", "Buy credit at the vendor, then `penstock provider reset P`."),
    ("5", B, "The spend limit that the account's owner set is reached.", "Raise the limit at the vendor, or wait for the date in the message."),
    ("6", K, "The vendor has disabled or put on hold the whole organisation.", "Clear it with the vendor, then `penstock provider reset P`: no probe brings it back by itself."),
    ("7", C, "The vendor refuses this old version of Claude Code.", "Update the client."),
    ("8", K, "The account's own encryption key is disabled or blocked.", "Enable the key in the cloud where it is kept."),
    ("9", A, "Thinking blocks of another account, or changed ones, were sent back.", "Nothing: Claude Code recovers itself. Keep sessions with their provider: `penstock setting set routing --sticky 1h`."),
    ("10", F, "The vendor's filter blocked what the model was about to say.", "Ask differently; another account of the vendor answers the same."),
    ("11", A, "The thread was gone on with elsewhere, or is of another account.", "Begin a new conversation."),
    ("12", K, "The API key or bearer token is wrong or was revoked.", "`penstock provider update P --api-key -` with a key that works."),
    ("13", K, "The access token is over or was revoked, and a new one did not help.", "`penstock oauth test P` says which step fails; `penstock oauth login P` logs in anew."),
    ("14", B, "The vendor could not charge the account.", "Correct the means of payment at the vendor, then `penstock provider reset P`."),
    ("15", C, "The client's own profile at the vendor cannot be billed.", "The client's user corrects it at the vendor."),
    ("16", N, "The account's plan or the token's scope does not include this model.", "Name the models that it has with `penstock provider update P --model …`; for a scope `penstock oauth login P` again."),
    ("17", U, "The vendor's edge answers with a page: a country block, or a check for bots.", "Give the provider a way out that is let in: `penstock provider update P --proxy …`."),
    ("17", K, "The vendor does not serve the country that the call comes from.", "Give the provider a way out that is let in: `penstock provider update P --proxy …`."),
    ("18", N, "The vendor does not know this model's name, or the account may not see it.", "Correct the name, `--redirect` it, or name the account's models with `penstock provider update P --model …`."),
    ("19", T, "Two requests met at the vendor.", "Nothing: it is asked once more."),
    ("20", C, "The body is larger than the vendor takes.", "Make the request smaller: fewer or smaller images and files."),
    ("21", R, "The organisation's rate limit is used up.", "Spread the load over more accounts, or hold it lower: `penstock provider update P --rpm … --tpm …`."),
    ("22", R, "Too many connections at once from this account.", "`penstock provider update P --concurrent-requests N`."),
    ("23", R, "The load rose faster than the vendor lets it.", "Raise it slowly; hold the provider lower with `penstock provider update P --tpm …`."),
    ("24", B, "The contract's spend limit is reached.", "Raise it at the vendor, then `penstock provider reset P`."),
    ("25", R, "The plan's window (5 hours, a week) is used up.", "Wait for the reset, which `penstock breaker list` shows, or add an account."),
    ("26", T, "The vendor failed.", "Nothing: it is asked once more, then another. When it lasts, see the vendor's status page."),
    ("27", T, "The account's own encryption key cannot be reached now.", "Look at the key's service in the cloud where it is kept."),
    ("28", T, "The vendor took too long and gave up; it may have charged for it.", "Let the client stream, or ask for less."),
    ("29", O, "The vendor is overloaded (529): all of its customers see this.", "Nothing: others are asked. Add a provider of another vendor or cloud for the same model."),
    ("30", M, "The vendor sent an error inside a stream that had begun.", "The caller asks again; `penstock logs show REQUEST_ID` has the error."),
    ("31", T, "An edge or load balancer before the provider answers with a page.", "When it lasts, see the provider's status page; check the base URL with `penstock provider test P`."),
    // OpenAI.
    ("32", X, "The conversation is longer than the model's context.", "Let the client compact it, or use a model with a larger context."),
    ("33", C, "The request has a parameter or value that the model does not take.", "Correct it; `penstock request-filter create --name drop --body FIELD` removes a field before it is sent."),
    ("34", F, "The vendor's usage policy refuses the prompt.", "Change the prompt. Nobody else is asked with it."),
    ("35", A, "Encrypted reasoning of another account was sent back.", "Begin a new conversation; keep sessions with their provider: `penstock setting set routing --sticky 1h`."),
    ("36", A, "`previous_response_id` names an answer of another account, or one that is forgotten.", "Begin a new conversation; keep sessions with their provider."),
    ("37", N, "The account does not have this service tier.", "Leave `service_tier` out, or use an account that has it."),
    ("38", K, "The API key is wrong or was revoked.", "`penstock provider update P --api-key -` with a key that works."),
    ("39", K, "The key's owner is no member of the organisation, or the address is not let in.", "Correct the membership or the list of addresses at the vendor."),
    ("40", K, "The vendor does not serve the country that the call comes from.", "Give the provider a way out that is let in: `penstock provider update P --proxy …`."),
    ("41", N, "The model does not exist, or the account may not use it.", "Name the account's models with `penstock provider update P --model …`, or `--redirect` the name."),
    ("42", R, "The account's limit of requests or tokens a minute is used up.", "Spread the load, or hold it lower: `penstock provider update P --rpm … --tpm …`."),
    ("43", N, "This one request is larger than the account's limit of tokens a minute.", "Make it smaller, or use an account of a higher tier."),
    ("44", B, "The account has no credit left, or reached its budget.", "Pay or raise the budget at the vendor, then `penstock provider reset P`."),
    ("45", O, "The vendor is overloaded, or asks to go slower.", "Nothing: others are asked. Add a provider of another vendor."),
    ("46", R, "The plan's window is used up.", "Wait for the reset, which `penstock breaker list` shows, or add an account."),
    ("47", T, "The vendor failed.", "Nothing: it is asked once more, then another."),
    ("48", M, "The vendor sent an error inside a stream that had begun.", "The caller asks again; `penstock logs show REQUEST_ID` has the error."),
    ("49", F, "The vendor's filter ended the answer.", "Ask differently."),
    // Google.
    ("50", K, "The API key is not valid or is over (Google says it with 400).", "`penstock provider update P --api-key -` with a key that works."),
    ("51", X, "The prompt has more tokens than the model takes.", "Let the client compact it, or use a model with a larger context."),
    ("52", K, "Google does not serve the country that the call comes from.", "Give the provider a way out that is let in: `penstock provider update P --proxy …`."),
    ("52", B, "The free tier does not exist in this country.", "Switch billing on for the project."),
    ("53", K, "The access token is over, and a new one did not help.", "`penstock oauth test P`; check the service account's roles."),
    ("54", B, "The prepaid credit is gone.", "Buy credit, then `penstock provider reset P`."),
    ("55", B, "Billing is off for the project.", "Switch billing on in Google's console, then `penstock provider reset P`."),
    ("55", K, "The API is not enabled for the project, the project is suspended, or the key was reported as leaked.", "Enable the API (the message has the link), or make a new key: `penstock provider update P --api-key -`."),
    ("56", N, "The model does not exist in this version of the API.", "Correct the name or `--redirect` it; `penstock provider update P --model …`."),
    ("57", R, "The project's quota a minute is used up.", "Spread the load, or hold it lower: `penstock provider update P --rpm … --tpm …`."),
    ("58", R, "The project's quota of the day is used up; it begins anew at midnight Pacific time.", "Wait, add a project, or ask Google for more."),
    ("59", C, "The request was cancelled.", "Nothing: the caller went away."),
    ("59", T, "Google took too long.", "Let the client stream, or ask for less."),
    ("60", O, "The model is overloaded.", "Nothing: others are asked. Add another region or vendor."),
    ("60", T, "Google failed.", "Nothing: it is asked once more, then another."),
    ("61", F, "Google's filter blocked the prompt or the answer.", "Ask differently."),
    // Bedrock.
    ("62", X, "The prompt has more tokens than the model takes.", "Let the client compact it, or use a model with a larger context."),
    ("63", N, "The model needs an inference profile, or its id is wrong.", "`penstock provider update P --redirect 'NAME=us.anthropic.…'` with the profile's id."),
    ("64", C, "AWS does not take a field of the request.", "`penstock request-filter create --name drop --body FIELD` removes it; report it if the gateway added it."),
    ("65", R, "A quota of the AWS account is used up.", "Ask AWS for more, or spread the load over regions."),
    ("66", N, "The account has no access to the model, or its agreement is being made.", "Ask for access in the Bedrock console; an agreement takes some minutes."),
    ("67", K, "The AWS keys are wrong or over, or a clock is wrong.", "`penstock doctor` compares clocks; then `penstock provider update P --aws-access-key-id … --aws-secret-access-key-env VAR`."),
    ("68", N, "The model is not in this region, or the form about its use was not sent.", "Send the form in the Bedrock console, or use another region."),
    ("69", T, "The model ran into a fault or out of time.", "Nothing: another is asked. Ask for less when it lasts."),
    ("70", R, "AWS throttles the account.", "Hold it lower: `penstock provider update P --rpm … --tpm …`, or spread the load over regions."),
    ("71", R, "The account's tokens of the day are used up.", "Wait, or ask AWS for more."),
    ("72", T, "The model is being loaded.", "Nothing: it is asked once more, then another."),
    ("72", O, "The service has no room now.", "Nothing: others are asked. Add a region."),
    ("73", M, "AWS sent an exception inside a stream that had begun.", "The caller asks again; `penstock logs show REQUEST_ID` has the error."),
    // Azure and Vertex.
    ("74", F, "Azure's content filter refused the prompt or the answer.", "Ask differently, or change the deployment's filter in Azure."),
    ("75", K, "The key is not of this endpoint.", "Check base URL and key: `penstock provider update P --base-url … --api-key -`."),
    ("76", K, "The resource's firewall does not let the address in, or it is blocked for now.", "Let the data planes' addresses in, or give the provider a `--proxy`."),
    ("77", N, "There is no deployment of this name.", "`penstock provider update P --redirect 'MODEL=DEPLOYMENT'`; a new deployment takes some minutes."),
    ("78", R, "The deployment's limit of tokens or calls is used up.", "Raise it in Azure, or hold the provider lower with `--tpm`."),
    ("79", O, "Azure has more load than it can take.", "Nothing: others are asked. Add a region."),
    ("80", K, "The service account may not call Vertex.", "Give it the role `roles/aiplatform.user`."),
    ("80", N, "The model is not in this region or project.", "Use another region in the base URL, or enable the model in the Model Garden."),
    ("80", O, "Vertex has no room now.", "Nothing: others are asked. Add a region."),
    // Any.
    ("81", T, "The provider was not reached: no such name, refused, reset, a bad certificate, or too slow.", "`penstock provider test P` names the step that fails; `penstock doctor` tries names, proxies and addresses."),
    ("82", T, "What answers is no AI API: a wrong base URL, a captive page, a redirect.", "Check the base URL with `penstock provider get P` and `penstock provider test P`."),
    ("82", U, "What answers is no AI API: a wrong base URL, or a path that an edge refuses.", "Check the base URL with `penstock provider get P` and `penstock provider test P`."),
    ("83", T, "The egress proxy refused to go there (`x-deny-reason`).", "Let the provider's host through at the egress proxy; the credential is not at fault."),
    // By status alone.
    ("page", U, "A page in place of an answer, with a status that the provider's API would not use so.", "Check the base URL with `penstock provider test P`."),
];
