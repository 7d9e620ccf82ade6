//! A row of the table: what an answer must show, and what it means then.

use super::{Answered, Class, Cooling, Finding, Network, Repeat, Scope, stated, text};
use crate::provider::ProviderKind;
use crate::time::UnixMs;

/// All conditions must hold. Empty `statuses`: any.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) number: &'static str,
    pub(super) statuses: &'static [u16],
    pub(super) said: &'static [Is],
    pub(super) means: Means,
}

/// One condition.
#[derive(Debug)]
pub(super) enum Is {
    /// A type, code, status word or reason is one of these, in any case; `x_*` begins with `x_`.
    Word(&'static [&'static str]),
    /// The message fits one of these patterns.
    Text(&'static [&'static str]),
    /// The message begins so, and what follows is the model asked, or "this model".
    OfModel(&'static [&'static str]),
    Param(&'static str),
    /// The quota's id contains this.
    Quota(&'static str),
    Page,
    /// The body is no error of any API.
    NoAnswer,
    /// The model that a caller names is a part of the path.
    ModelInPath,
    Denied,
    PlanUsedUp,
}

/// Where the moment of return is stated.
#[derive(Clone, Copy, Debug)]
pub(super) enum Moment {
    /// Anywhere, obeyed as it is.
    Any,
    /// Anywhere, but no later than this many seconds.
    Within(u64),
    /// First of all in the headers of the plan's window.
    Plan,
    /// Midnight where Google's days begin.
    PacificMidnight,
    /// Nowhere: the class has no such moment, or the row sets nothing aside.
    Nowhere,
}

/// What a row means: its class, and what it says otherwise than its class.
#[derive(Clone, Copy, Debug)]
pub(super) struct Means {
    pub(super) class: Class,
    scope: Option<Scope>,
    /// None: the class's.
    cooling: Option<Cooling>,
    moment: Moment,
    sets_aside: bool,
    permanent: bool,
    repeats: bool,
    network: Option<Network>,
}

pub(super) const C: Means = Means::of(Class::Caller);
pub(super) const X: Means = Means::of(Class::TooLong);
pub(super) const F: Means = Means::of(Class::Filtered);
pub(super) const A: Means = Means::of(Class::ForeignState);
pub(super) const N: Means = Means::of(Class::NoModel);
pub(super) const K: Means = Means::of(Class::Credential);
pub(super) const B: Means = Means::of(Class::Billing);
pub(super) const R: Means = Means::of(Class::RateLimited);
pub(super) const O: Means = Means::of(Class::Overloaded);
pub(super) const T: Means = Means::of(Class::Transient);
pub(super) const U: Means = Means::of(Class::Unrecognised);

impl Means {
    pub(super) const fn of(class: Class) -> Self {
        let moment = match class {
            Class::RateLimited | Class::Billing => Moment::Any,
            Class::Overloaded => Moment::Within(600),
            Class::Caller
            | Class::TooLong
            | Class::Filtered
            | Class::ForeignState
            | Class::NoModel
            | Class::Credential
            | Class::Transient
            | Class::Interrupted
            | Class::Unrecognised => Moment::Nowhere,
        };
        Self {
            class,
            scope: None,
            cooling: None,
            moment,
            sets_aside: true,
            permanent: false,
            repeats: true,
            network: None,
        }
    }

    /// Where it says when the provider may be asked again.
    pub(super) fn moment_of(self) -> Moment {
        self.moment
    }

    /// About the way out.
    pub(super) const fn route(mut self) -> Self {
        self.scope = Some(Scope::Route);
        self
    }

    /// As if there had been no answer.
    pub(super) const fn no_answer(mut self) -> Self {
        self.scope = Some(Scope::Endpoint);
        self.network = Some(Network::BadAnswer);
        self.no_repeat()
    }

    /// Seconds, doubling.
    pub(super) const fn guess(mut self, first: u64, cap: u64) -> Self {
        self.cooling = Some(Cooling::doubling(first, cap));
        self
    }

    pub(super) const fn moment(mut self, moment: Moment) -> Self {
        self.moment = moment;
        self
    }

    /// Nothing is set aside: it was this request.
    pub(super) const fn stateless(mut self) -> Self {
        self.sets_aside = false;
        self.moment = Moment::Nowhere;
        self
    }

    pub(super) const fn permanent(mut self) -> Self {
        self.permanent = true;
        self
    }

    /// Not on the same provider: it took its time, or nothing will have changed.
    pub(super) const fn no_repeat(mut self) -> Self {
        self.repeats = false;
        self
    }

    /// The finding for an answer; `row` says what decided.
    pub(super) fn finding(self, row: &'static str, seen: &Answered<'_>, now: UnixMs) -> Finding {
        let of_class = Finding::of_class(self.class);
        let scope = self.scope.unwrap_or(of_class.scope);
        Finding {
            scope,
            until: stated::moment(self.moment, scope, seen, now),
            cooling: of_class
                .cooling
                .filter(|_| self.sets_aside)
                .map(|class| self.cooling.unwrap_or(class)),
            permanent: self.permanent,
            repeat: if self.repeats {
                of_class.repeat
            } else {
                Repeat::Never
            },
            network: self.network,
            row,
            ..of_class
        }
    }
}

impl Row {
    pub(super) fn fits(&self, seen: &Answered<'_>) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&seen.status))
            && self.said.iter().all(|condition| condition.holds(seen))
    }

    pub(super) fn finding(&self, seen: &Answered<'_>, now: UnixMs) -> Finding {
        self.means.finding(self.number, seen, now)
    }

    /// Whether it is known by this word.
    pub(super) fn knows_word(&self, said: &str) -> bool {
        let knows = |is: &Is| matches!(is, Is::Word(words) if words.iter().any(|word| is_word(word, said)));
        self.said.iter().any(knows)
    }
}

impl Is {
    fn holds(&self, seen: &Answered<'_>) -> bool {
        match self {
            Self::Word(words) => seen
                .words()
                .any(|said| words.iter().any(|word| is_word(word, said))),
            Self::Text(patterns) => seen
                .message
                .is_some_and(|message| patterns.iter().any(|pattern| text::fits(pattern, message))),
            Self::OfModel(starts) => seen
                .message
                .is_some_and(|message| names_model(message, starts, seen.model)),
            Self::Param(param) => seen.param == Some(param),
            Self::Quota(part) => seen.quota_id.is_some_and(|id| id.contains(part)),
            Self::Page => seen.page,
            Self::NoAnswer => {
                seen.wordless || seen.message.is_some_and(|message| is_bare(message, seen.status))
            }
            Self::ModelInPath => model_in_path(seen.kind),
            Self::Denied => seen.denied,
            Self::PlanUsedUp => seen.hints.plan_rejected,
        }
    }
}

impl<'a> Answered<'a> {
    /// All that identifies the error by a word. Relays put a vendor's code where another has its type.
    fn words(&self) -> impl Iterator<Item = &'a str> {
        [
            self.code,
            self.inner_code,
            self.reason,
            self.kind_word,
            self.google_status,
        ]
        .into_iter()
        .flatten()
    }
}

/// Behind one of the starts: "this model" and nothing more, or the model itself.
fn names_model(message: &str, starts: &[&str], model: Option<&str>) -> bool {
    let rest = starts.iter().find_map(|start| text::behind(message, start));
    let Some(mut rest) = rest else { return false };
    for article in ["the ", "this ", "requested ", "specified "] {
        rest = text::behind(rest, article).unwrap_or(rest);
    }
    let named = text::behind(rest, "model").unwrap_or(rest);
    let said = named.len() < rest.len();
    if said && named.trim_matches(['.', '!', ' ']).is_empty() {
        return true;
    }
    let named = named.trim_start_matches([' ', ':', '`', '"', '\'']);
    let follows = model
        .filter(|model| !model.is_empty())
        .and_then(|model| named.strip_prefix(model));
    follows.is_some_and(|rest| {
        rest.trim_start_matches(['`', '"', '\'', '.'])
            .trim_start()
            .is_empty()
    })
}

/// What servers say of a path that they do not know, in whatever form.
fn is_bare(message: &str, status: u16) -> bool {
    let message = message.trim().trim_end_matches('.');
    match status {
        404 => message.eq_ignore_ascii_case("Not Found"),
        405 => message.eq_ignore_ascii_case("Method Not Allowed"),
        _ => false,
    }
}

fn model_in_path(kind: ProviderKind) -> bool {
    use ProviderKind::{Anthropic, AzureOpenai, Bedrock, Droid, Gemini, Openai, OpenaiCompatible, Vertex};
    match kind {
        AzureOpenai | Bedrock | Gemini | Vertex => true,
        Anthropic | Droid | Openai | OpenaiCompatible => false,
    }
}

/// Whether a provider's word is the one of the table.
pub(super) fn is_word(word: &str, said: &str) -> bool {
    match word.strip_suffix('*') {
        Some(start) => said
            .as_bytes()
            .get(..start.len())
            .is_some_and(|begins| begins.eq_ignore_ascii_case(start.as_bytes())),
        None => said.eq_ignore_ascii_case(word),
    }
}
