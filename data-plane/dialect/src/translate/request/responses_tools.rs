//! The tools of a Responses request: functions, freeform tools, namespaces of functions, Codex's search for tools.

use super::from_chat::word;
use super::responses_items::TOOL_SEARCH;
use crate::translate::dropped::{RESPONSES_TOOL, RESPONSES_TOOLS, has};
use crate::translate::fields::{Field, Object, Text};
use crate::translate::problem::Untranslatable;
use crate::translate::tools::{Choice, Kind, Known, Names, Tool, wire_name};

/// Adds a tool, or those of a namespace. One that is there already is not given twice.
pub(super) fn tool<'a>(
    mut tool: Object<'a>,
    tools: &mut Vec<Tool<'a>>,
    names: &mut Names,
) -> Result<(), Untranslatable> {
    let kind = tool.kind()?;
    if has(RESPONSES_TOOLS, &kind) {
        return Ok(());
    }
    if kind != "namespace" {
        return one(tool, &kind, None, tools, names);
    }
    let namespace = tool.need("name")?.text()?;
    if let Some(inner) = tool.take("tools")? {
        for field in inner.elements()? {
            let mut inner = field.object()?;
            let kind = inner.kind()?;
            one(inner, &kind, Some(&namespace), tools, names)?;
        }
    }
    tool.finish(&[RESPONSES_TOOL])
}

fn one<'a>(
    mut tool: Object<'a>,
    kind: &str,
    namespace: Option<&str>,
    tools: &mut Vec<Tool<'a>>,
    names: &mut Names,
) -> Result<(), Untranslatable> {
    let (name, known) = match kind {
        "function" | "custom" => (tool.need("name")?.text()?, Kind::of(kind)),
        // A search at the vendor looks through tools that are all given here at once.
        "tool_search" if tool.text("execution")?.as_deref() != Some("client") => return Ok(()),
        "tool_search" => (TOOL_SEARCH.into(), Kind::Search),
        _ => return Err(tool.refuse(kind)),
    };
    let wire = wire_name(namespace, &name);
    let first = names.insert(
        &wire,
        Known {
            name: name.into_owned(),
            namespace: namespace.map(str::to_owned),
            kind: known,
        },
    );
    let description = tool.text("description")?;
    let read = match known {
        Kind::Custom => {
            let grammar = tool.take("format")?.map(|field| grammar(&field)).transpose()?;
            Tool::freeform(wire, description, grammar.flatten())
        }
        Kind::Function | Kind::Search => Tool {
            name: wire,
            description,
            schema: tool
                .take("parameters")?
                .map(|schema| schema.raw_object())
                .transpose()?,
            strict: tool.boolean("strict")?,
        },
    };
    tool.finish(&[RESPONSES_TOOL])?;
    if first {
        tools.push(read);
    }
    Ok(())
}

/// The syntax and the definition, if the input is bound to a grammar.
fn grammar<'a>(field: &Field<'a>) -> Result<Option<(Text<'a>, Text<'a>)>, Untranslatable> {
    let mut format = field.object()?;
    let kind = format.kind()?;
    let read = match &*kind {
        "text" => None,
        "grammar" => Some((format.need("syntax")?.text()?, format.need("definition")?.text()?)),
        _ => return Err(format.refuse(&kind)),
    };
    format.finish(&[])?;
    Ok(read)
}

pub(super) fn tool_choice(field: &Field<'_>) -> Result<Choice, Untranslatable> {
    if field.is_text() {
        return word(field);
    }
    let mut choice = field.object()?;
    let kind = choice.kind()?;
    if !matches!(&*kind, "function" | "custom") {
        return Err(choice.refuse(&kind));
    }
    let namespace = choice.text("namespace")?;
    let name = wire_name(namespace.as_deref(), &choice.need("name")?.text()?);
    choice.finish(&[])?;
    Ok(Choice::One(name))
}

impl Kind {
    fn of(word: &str) -> Self {
        match word {
            "custom" => Self::Custom,
            _ => Self::Function,
        }
    }
}
