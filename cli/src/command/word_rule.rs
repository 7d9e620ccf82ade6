//! `penstock word-rule`.

use clap::Subcommand;
use penstock_proto::admin::v1 as wire;
use penstock_proto::convert;

use super::edit::Edit;
use super::named::Named;
use super::session::{Session, part};
use crate::args::access::Switch;
use crate::args::word_rule::WordFlags;
use crate::failure::Failure;
use crate::remote::{Reason, Services, all};
use crate::view;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a word rule; it is in force on every data plane within a second
    Create {
        #[arg(long)]
        name: String,
        #[command(flatten)]
        fields: WordFlags,
        #[command(flatten)]
        reason: Reason,
    },
    /// All rules
    List,
    /// One word rule
    Get {
        /// The word rule's name
        name: String,
    },
    /// Change the fields that are given
    Update {
        #[command(flatten)]
        edit: Edit,
        #[command(flatten)]
        fields: WordFlags,
    },
    /// Delete a word rule
    Delete(Named),
    /// Put a word rule in force again
    Enable(Named),
    /// Take a word rule out of force
    Disable(Named),
}

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result<(), Failure> {
        match self {
            Self::Create { name, fields, reason } => create(session, name, &fields, &reason).await,
            Self::List => list(session).await,
            Self::Get { name } => {
                let found = read(&session.connect().await?, &name).await?;
                session.print(&view::WordRule::read(found)?)
            }
            Self::Update { edit, fields } => update(session, &edit, &fields).await,
            Self::Delete(named) => delete(session, named).await,
            Self::Enable(named) => update(session, &Edit::of(named), &WordFlags::switched(Switch::ON)).await,
            Self::Disable(named) => {
                update(session, &Edit::of(named), &WordFlags::switched(Switch::OFF)).await
            }
        }
    }
}

async fn create(session: &Session, name: String, fields: &WordFlags, reason: &Reason) -> Result<(), Failure> {
    let made = fields.create(&name)?;
    let request = wire::CreateWordRuleRequest {
        name,
        spec: Some(convert::word_rule_to_wire(&made)),
        change: reason.info(),
    };
    let services = session.connect().await?;
    let answer = services
        .word_rules()
        .create_word_rule(request)
        .await?
        .into_inner();
    session.print_changed(
        "word_rule",
        answer.word_rule,
        answer.revision,
        view::WordRule::read,
    )
}

async fn update(session: &Session, edit: &Edit, fields: &WordFlags) -> Result<(), Failure> {
    let given = *fields != WordFlags::default();
    let answer = edit.run(session, given, async |services: &Services| {
        let found = read(services, edit.name()).await?;
        let mut changed = convert::word_rule_from_wire(&found.name, part("spec", found.spec)?)?;
        fields.apply(&mut changed)?;
        let request = wire::UpdateWordRuleRequest {
            name: found.name,
            expected_version: edit.version(found.version),
            spec: Some(convert::word_rule_to_wire(&changed)),
            change: edit.reason(),
            update_mask: None,
        };
        Ok(services
            .word_rules()
            .update_word_rule(request)
            .await?
            .into_inner())
    });
    let answer = answer.await?;
    session.print_changed(
        "word_rule",
        answer.word_rule,
        answer.revision,
        view::WordRule::read,
    )
}

async fn list(session: &Session) -> Result<(), Failure> {
    let services = session.connect().await?;
    let found = all(async |page| {
        let request = wire::ListWordRulesRequest { page };
        let answer = services.word_rules().list_word_rules(request).await?.into_inner();
        Ok((answer.word_rules, answer.page))
    });
    session.print_list(found.await?, view::WordRule::read)
}

async fn delete(session: &Session, named: Named) -> Result<(), Failure> {
    let done = format!("deleted word rule {}", named.name);
    let request = wire::DeleteWordRuleRequest {
        name: named.name,
        expected_version: 0,
        change: named.reason.info(),
    };
    let services = session.connect().await?;
    let answer = services.word_rules().delete_word_rule(request).await?;
    session.print_done(done, answer.into_inner().revision)
}

async fn read(services: &Services, name: &str) -> Result<wire::WordRule, Failure> {
    let request = wire::GetWordRuleRequest {
        name: name.to_owned(),
    };
    let answer = services.word_rules().get_word_rule(request).await?.into_inner();
    part("word_rule", answer.word_rule)
}
