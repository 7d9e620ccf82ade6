//! How much a model is to think: OpenAI and newer Claude models take a word, older Claude models and Gemini a number of
//! tokens.

/// OpenAI's and Anthropic's words, from little to much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    Xhigh,
    Max,
}

/// What a request says about thinking beside the effort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Thinking {
    #[default]
    Unsaid,
    Off,
    /// The model decides. `shown`: the caller wants to read it.
    Adaptive {
        shown: Option<bool>,
    },
    /// At most so many tokens.
    Budget {
        tokens: u64,
        shown: Option<bool>,
    },
}

/// The smallest budget that Anthropic takes, tokens.
pub(super) const MIN_BUDGET: u64 = 1024;
/// The largest budget that all Gemini models take, tokens.
const MAX_GEMINI_BUDGET: u64 = 24_576;

impl Effort {
    pub(super) fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::Xhigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// `reasoning_effort`.
    pub(super) fn openai(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Minimal => "minimal",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh | Self::Max => "xhigh",
        }
    }

    /// `output_config.effort`; None: no thinking.
    pub(super) fn anthropic(self) -> Option<&'static str> {
        Some(match self {
            Self::None => return None,
            Self::Minimal | Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Xhigh => "xhigh",
            Self::Max => "max",
        })
    }

    pub(super) fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal => MIN_BUDGET,
            Self::Low => 2048,
            Self::Medium => 8192,
            Self::High => 16_384,
            Self::Xhigh | Self::Max => 32_000,
        }
    }

    /// The word for a number.
    pub(super) fn of_budget(tokens: u64) -> Self {
        match tokens {
            0..=4096 => Self::Low,
            4097..=12_288 => Self::Medium,
            12_289.. => Self::High,
        }
    }
}

impl Thinking {
    /// Whether the caller wants no thinking to be shown.
    pub(super) fn hidden(self) -> bool {
        match self {
            Self::Adaptive { shown } | Self::Budget { shown, .. } => shown == Some(false),
            Self::Unsaid | Self::Off => false,
        }
    }
}

/// The budget that Gemini is given. A limit may be lower than asked, as it is never missed from below.
pub(super) fn gemini_budget(thinking: Thinking, effort: Option<Effort>) -> Option<u64> {
    let asked = match (thinking, effort) {
        (Thinking::Budget { tokens, .. }, _) => Some(tokens),
        // Anthropic's own default.
        (_, Some(Effort::High) | None) => None,
        (_, Some(effort)) => Some(effort.budget()),
    };
    asked.map(|tokens| tokens.min(MAX_GEMINI_BUDGET))
}

/// Whether a Claude model thinks by budgets: 3.7 to 4.5. Names that follow another pattern count as newer.
pub(super) fn thinks_by_budget(model: &str) -> bool {
    let Some((_, rest)) = model.split_once("claude-") else {
        return false;
    };
    if rest.starts_with("3-") {
        return true;
    }
    let mut words = rest.split(['-', '@']).skip(1);
    let major: Option<u32> = words.next().and_then(|word| word.parse().ok());
    // `claude-opus-4-20250514` has a date where newer names have the minor version.
    let minor: Option<u32> = words.next().and_then(|word| word.parse().ok());
    match (major, minor) {
        (Some(4), Some(minor)) => minor <= 5 || minor >= 10_000_000,
        (Some(4), None) => true,
        (Some(_) | None, _) => false,
    }
}
