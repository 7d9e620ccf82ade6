//! The paths at one base URL.
//!
//! Where they have no model in them they are made once; the others are made for each request.

use http::uri::{InvalidUri, PathAndQuery};
use penstock_core::dialect::{Dialect, Operation};
use penstock_core::provider::{Provider, ProviderKind};
use penstock_dialect::upstream_path::{self, Wanted};

/// See the module.
#[derive(Debug)]
pub(super) struct Paths {
    kind: ProviderKind,
    base: String,
    api_version: Option<String>,
    /// Of a kind that has no models in its paths.
    fixed: Vec<Fixed>,
    models: Option<PathAndQuery>,
}

#[derive(Debug)]
struct Fixed {
    dialect: Dialect,
    operation: Operation,
    beta: bool,
    path: PathAndQuery,
}

impl Paths {
    pub(super) fn new(provider: &Provider, base: &str) -> Result<Self, InvalidUri> {
        let (kind, api_version) = (provider.kind, provider.api_version.as_deref());
        let models = upstream_path::models(kind, base);
        Ok(Self {
            kind,
            base: base.to_owned(),
            api_version: api_version.map(str::to_owned),
            fixed: match upstream_path::has_model(kind, api_version) {
                true => Vec::new(),
                false => fixed(kind, base, api_version)?,
            },
            models: models.map(PathAndQuery::try_from).transpose()?,
        })
    }

    pub(super) fn of(&self, wanted: &Wanted<'_>) -> Option<PathAndQuery> {
        let same = |fixed: &&Fixed| {
            (fixed.dialect, fixed.operation, fixed.beta) == (wanted.dialect, wanted.operation, wanted.beta)
        };
        if let Some(fixed) = self.fixed.iter().find(same) {
            return Some(fixed.path.clone());
        }
        let path = upstream_path::of(self.kind, &self.base, self.api_version.as_deref(), wanted)?;
        PathAndQuery::try_from(path).ok()
    }

    pub(super) fn models(&self) -> Option<PathAndQuery> {
        self.models.clone()
    }
}

fn fixed(kind: ProviderKind, base: &str, api_version: Option<&str>) -> Result<Vec<Fixed>, InvalidUri> {
    let mut all = Vec::new();
    for dialect in kind.can_speak().iter().copied() {
        for operation in [Operation::Generate, Operation::CountTokens, Operation::Compact] {
            for beta in [false, true] {
                let wanted = Wanted {
                    dialect,
                    operation,
                    model: "",
                    stream: false,
                    beta,
                };
                if let Some(path) = upstream_path::of(kind, base, api_version, &wanted) {
                    all.push(Fixed {
                        dialect,
                        operation,
                        beta,
                        path: path.try_into()?,
                    });
                }
            }
        }
    }
    Ok(all)
}
