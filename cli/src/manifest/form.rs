//! How each field of the protocol is written in files.
//!
//! The rules, so that a new field needs nothing here: a field keeps its name without its unit, because the value carries
//! the unit (`connect_ms: 10000` is `connect: 10s`, `usd_daily_nanousd` is `usd_daily: 5`); an enum's value is its last
//! words; a pattern, a client and active hours are written as on the command line. A few messages stand beside the fields
//! of the message that holds them, as the command line has them; and what operators do not write is not there.

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Bool,
    Number,
    Text,
    /// Must not stand in a file.
    Secret,
    Word(EnumDescriptor),
    /// `10s`, kept in milliseconds.
    Duration,
    /// `5m`, kept in seconds.
    Seconds,
    /// RFC 3339, kept in Unix milliseconds.
    Instant,
    /// Decimal USD, kept in nano-USD.
    Usd,
    /// Decimal USD for a million tokens, kept in pico-USD for one.
    UsdPerMillion,
    /// A decimal factor, kept in millionths.
    Factor,
    /// `08:00`, kept in minutes.
    TimeOfDay,
    Pattern,
    Client,
    Hours,
    /// A message without fields: `true`.
    Mark,
    Message(MessageDescriptor),
    /// Names that operators choose, each with a value.
    Map(Box<Self>),
}

/// One field as files have it.
#[derive(Clone, Debug)]
pub(super) struct Field {
    /// Of the message that is written; the last one is the field itself.
    pub path: Vec<FieldDescriptor>,
    pub word: String,
    pub form: Form,
    pub is_list: bool,
}

/// Not in files: names stand outside, others are made elsewhere, and what is debugged or drained for a while is no configuration.
const HIDDEN: [&str; 12] = [
    "penstock.config.v1.ProviderSpec.name",
    "penstock.config.v1.User.name",
    "penstock.config.v1.KeySpec.name",
    "penstock.config.v1.KeySpec.user_id",
    "penstock.config.v1.KeySpec.hint",
    "penstock.config.v1.Limits.resets",
    "penstock.config.v1.Activation.first_used_at_ms",
    "penstock.config.v1.Activation.granted_at_ms",
    "penstock.config.v1.Setting.http_debug",
    "penstock.config.v1.Setting.drained_nodes",
    "penstock.config.v1.Price.source",
    "penstock.admin.v1.Manifest.name",
];

/// Their fields stand beside those of the message that holds them.
const BESIDE: [&str; 5] = [
    "penstock.admin.v1.ProviderManifest.spec",
    "penstock.admin.v1.KeyManifest.spec",
    "penstock.config.v1.User.access",
    "penstock.config.v1.KeySpec.access",
    "penstock.config.v1.Access.activation",
];

const SECRETS: [&str; 9] = [
    "penstock.admin.v1.CredentialManifest.api_key",
    "penstock.admin.v1.CredentialManifest.bearer_token",
    "penstock.admin.v1.CredentialManifest.service_account_json",
    "penstock.admin.v1.OauthClient.client_secret",
    "penstock.admin.v1.ProviderManifest.proxy_password",
    "penstock.admin.v1.KeyManifest.secret",
    "penstock.config.v1.AwsKeys.secret_access_key",
    "penstock.config.v1.AwsKeys.session_token",
    "penstock.config.v1.ImportSuffix.secret",
];

/// Enums whose words are joined by hyphens on the command line; the others by underscores.
const HYPHENS: [&str; 3] = [
    "penstock.config.v1.ProviderKind",
    "penstock.config.v1.Dialect",
    "penstock.config.v1.KnownClient",
];

/// All fields of a message, in the protocol's order.
pub(super) fn fields(message: &MessageDescriptor) -> Vec<Field> {
    let mut all = Vec::new();
    collect(message, &[], &mut all);
    all
}

fn collect(message: &MessageDescriptor, above: &[FieldDescriptor], all: &mut Vec<Field>) {
    let mut fields: Vec<FieldDescriptor> = message.fields().collect();
    fields.sort_by_key(|field| field.field_descriptor_proto().number());
    for field in fields {
        if HIDDEN.contains(&field.full_name()) {
            continue;
        }
        let path: Vec<_> = above.iter().cloned().chain([field.clone()]).collect();
        if let (true, Some(inner)) = (BESIDE.contains(&field.full_name()), field.kind().as_message()) {
            collect(inner, &path, all);
            continue;
        }
        all.push(Field {
            word: word(&field),
            form: form(&field),
            is_list: field.is_list(),
            path,
        });
    }
}

impl Field {
    /// The field itself.
    pub(super) fn own(&self) -> Option<&FieldDescriptor> {
        self.path.last()
    }

    /// As the protocol calls it, from the message that is written.
    pub(super) fn proto_path(&self) -> String {
        let names: Vec<_> = self.path.iter().map(FieldDescriptor::name).collect();
        names.join(".")
    }

    /// Which of several fields that exclude each other it is one of.
    pub(super) fn choice(&self) -> Option<String> {
        let choice = self.own()?.containing_oneof()?;
        (!choice.is_synthetic()).then(|| choice.full_name().to_owned())
    }
}

fn word(field: &FieldDescriptor) -> String {
    let name = field.name();
    if name == "pico_usd" {
        return "usd_per_million".to_owned();
    }
    if name == "millionths" {
        return "factor".to_owned();
    }
    if let Some(amount) = name.strip_suffix("_nanousd") {
        return match amount.starts_with("usd_") {
            true => amount.to_owned(),
            false => format!("{amount}_usd"),
        };
    }
    let units: &[&str] = match form(field) {
        Form::Duration | Form::Instant => &["_ms"],
        Form::Factor => &["_millionths"],
        Form::TimeOfDay => &["_minute"],
        Form::Seconds => &["_s"],
        Form::Bool
        | Form::Number
        | Form::Text
        | Form::Secret
        | Form::Word(_)
        | Form::Usd
        | Form::UsdPerMillion
        | Form::Pattern
        | Form::Client
        | Form::Hours
        | Form::Mark
        | Form::Message(_)
        | Form::Map(_) => &[],
    };
    let bare = units.iter().find_map(|unit| name.strip_suffix(unit));
    bare.unwrap_or(name).to_owned()
}

fn form(field: &FieldDescriptor) -> Form {
    let name = field.name();
    match (field.kind(), name) {
        (Kind::Bool, _) => Form::Bool,
        (Kind::String, _) if SECRETS.contains(&field.full_name()) => Form::Secret,
        (Kind::String, _) => Form::Text,
        (Kind::Enum(words), _) => Form::Word(words),
        (Kind::Message(entry), _) if field.is_map() => {
            Form::Map(Box::new(form(&entry.map_entry_value_field())))
        }
        (Kind::Message(message), _) => of_message(message),
        (Kind::Uint64, "pico_usd") => Form::UsdPerMillion,
        (Kind::Uint64 | Kind::Int64, _) if name.ends_with("_nanousd") => Form::Usd,
        (Kind::Uint64, _) if name.ends_with("_ms") => Form::Duration,
        (Kind::Int64, _) if name.ends_with("_ms") => Form::Instant,
        (Kind::Uint32, _) if name.ends_with("millionths") => Form::Factor,
        (Kind::Uint32, _) if name.ends_with("_minute") && !name.ends_with("_per_minute") => Form::TimeOfDay,
        (Kind::Uint32, _) if name.ends_with("_s") => Form::Seconds,
        (_, _) => Form::Number,
    }
}

fn of_message(message: MessageDescriptor) -> Form {
    match message.full_name() {
        "penstock.config.v1.ModelPattern" => Form::Pattern,
        "penstock.config.v1.ClientRule" => Form::Client,
        "penstock.config.v1.ActiveHours" => Form::Hours,
        _ if message.fields().len() == 0 => Form::Mark,
        _ => Form::Message(message),
    }
}

/// The words of an enum and their numbers, without the one for nothing.
pub(super) fn words(of: &EnumDescriptor) -> Vec<(String, i32)> {
    let prefix = prefix(of.name());
    let hyphens = HYPHENS.contains(&of.full_name());
    let word = |name: &str| {
        let word = name.strip_prefix(&prefix).unwrap_or(name).to_ascii_lowercase();
        match hyphens {
            true => word.replace('_', "-"),
            false => word,
        }
    };
    let known = of.values().filter(|value| value.number() != 0);
    known.map(|value| (word(value.name()), value.number())).collect()
}

/// `ProviderKind` is `PROVIDER_KIND_`.
fn prefix(name: &str) -> String {
    let mut prefix = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !prefix.is_empty() {
            prefix.push('_');
        }
        prefix.push(letter.to_ascii_uppercase());
    }
    prefix.push('_');
    prefix
}
