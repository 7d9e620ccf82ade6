//! `penstock price`.

mod backfill;
mod import;

use clap::{Subcommand, ValueEnum};
use penstock_core::money::NanoUsd;
use penstock_core::price::Price;
use penstock_proto::admin::v1 as wire;
use penstock_proto::config::v1::PriceSource;
use penstock_proto::convert;

use super::edit::Edit;
use super::named::Named;
use super::session::{Session, part};
use crate::args::rate::{self, RateArg};
use crate::failure::Failure;
use crate::remote::{Reason, Services, all};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a manual price; it replaces a shipped one of the same name and survives updates
    Create {
        /// The model, as `MODEL`, `PLATFORM/MODEL` or `PROVIDER/MODEL`
        #[arg(long, value_name = "MODEL")]
        name: String,
        #[command(flatten)]
        fields: PriceFlags,
        #[command(flatten)]
        reason: Reason,
    },
    /// All prices
    List {
        /// Only names that contain this
        #[arg(long, value_name = "TEXT")]
        contains: Option<String>,
        /// Only these
        #[arg(long)]
        source: Option<Source>,
    },
    /// One price
    Get {
        /// The price's name
        name: String,
    },
    /// Change the fields that are given; the price becomes manual
    Update {
        #[command(flatten)]
        edit: Edit,
        #[command(flatten)]
        fields: PriceFlags,
    },
    /// Delete a price; a shipped one of this name comes back at the next start
    Delete(Named),
    /// Take over prices from a file or URL; shows what would change, and changes it with --yes
    Import(import::Import),
    /// Count the costs of calls in the ledger again, with the prices of now
    Backfill(backfill::Backfill),
    /// The newest backfills
    Backfills,
    /// The price that a model pays at a provider, and the rule that found it
    Resolve {
        /// As the provider is asked for it
        model: String,
        /// Name or id
        #[arg(long)]
        provider: String,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Eq, clap::Args)]
pub(crate) struct PriceFlags {
    /// Who charges it: anthropic, openai, …; '' for every platform
    #[arg(long)]
    platform: Option<String>,
    /// `CLASS[:TIER][:ABOVE]=USD` for a million tokens, as input=3 or output:batch=7.5; repeatable
    #[arg(long = "rate", value_name = "RATE")]
    rates: Vec<RateArg>,
    /// USD for one web search
    #[arg(long, value_name = "USD")]
    web_search: Option<NanoUsd>,
    /// USD for one answered call, whatever it used
    #[arg(long, value_name = "USD")]
    per_request: Option<NanoUsd>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Source {
    Shipped,
    Manual,
    Imported,
}

impl PriceFlags {
    fn apply(&self, price: &mut Price) {
        rate::merge(&mut price.rates, &self.rates);
        if let Some(platform) = &self.platform {
            price.platform.clone_from(platform);
        }
        if let Some(usd) = self.web_search {
            price.web_search = usd;
        }
        if let Some(usd) = self.per_request {
            price.request = usd;
        }
    }
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create { name, fields, reason } => create(session, name, &fields, &reason).await,
            Self::List { contains, source } => list(session, contains.unwrap_or_default(), source).await,
            Self::Get { name } => {
                let found = read(&session.connect().await?, &name).await?;
                session.print(&view::Price::read(found)?)
            }
            Self::Update { edit, fields } => update(session, &edit, &fields).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Import(import) => import.run(session).await,
            Self::Backfill(backfill) => backfill.run(session).await,
            Self::Backfills => backfill::list(session).await,
            Self::Resolve { model, provider } => resolve(session, model, provider).await,
        }
    }
}

async fn create(
    session: &Session,
    name: String,
    fields: &PriceFlags,
    reason: &Reason,
) -> Result<(), Failure> {
    let mut price = Price::of_rates("", Vec::new());
    fields.apply(&mut price);
    let request = wire::CreatePriceRequest {
        name,
        spec: Some(convert::price_to_wire(&price)),
        change: reason.info(),
    };
    let answer = session
        .connect()
        .await?
        .prices()
        .create_price(request)
        .await?
        .into_inner();
    session.print_changed("price", answer.price, answer.revision, view::Price::read)
}

async fn update(session: &Session, edit: &Edit, fields: &PriceFlags) -> Result<(), Failure> {
    let given = *fields != PriceFlags::default();
    let answer = edit.run(session, given, async |services: &Services| {
        let found = read(services, edit.name()).await?;
        let mut price = convert::price_from_wire(part("spec", found.spec)?)?;
        fields.apply(&mut price);
        let request = wire::UpdatePriceRequest {
            name: found.name,
            expected_version: edit.version(found.version),
            spec: Some(convert::price_to_wire(&price)),
            change: edit.reason(),
            update_mask: None,
        };
        Ok(services.prices().update_price(request).await?.into_inner())
    });
    let answer = answer.await?;
    session.print_changed("price", answer.price, answer.revision, view::Price::read)
}

async fn list(session: &Session, contains: String, source: Option<Source>) -> Result<(), Failure> {
    let source = match source {
        None => PriceSource::Unspecified,
        Some(Source::Shipped) => PriceSource::Shipped,
        Some(Source::Manual) => PriceSource::Manual,
        Some(Source::Imported) => PriceSource::Imported,
    };
    let services = session.connect().await?;
    let prices = all(async |page| {
        let request = wire::ListPricesRequest {
            page,
            contains: contains.clone(),
            source: source.into(),
        };
        let answer = services.prices().list_prices(request).await?.into_inner();
        Ok((answer.prices, answer.page))
    });
    session.print_list(prices.await?, view::Price::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted price {}", named.name);
    let request = wire::DeletePriceRequest {
        name: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let answer = session.connect().await?.prices().delete_price(request).await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn resolve(session: &Session, model: String, provider: String) -> Result<(), Failure> {
    let request = wire::ResolvePriceRequest {
        model: model.clone(),
        provider: provider.clone(),
    };
    let answer = session
        .connect()
        .await?
        .prices()
        .resolve_price(request)
        .await?
        .into_inner();
    session.print(&view::ResolvedPrice {
        model,
        provider,
        rule: answer.rule,
        price: answer.price.map(view::Price::read).transpose()?,
    })
}

async fn read(services: &Services, name: &str) -> Result<wire::Price, Failure> {
    let request = wire::GetPriceRequest {
        name: name.to_owned(),
    };
    part(
        "price",
        services.prices().get_price(request).await?.into_inner().price,
    )
}
