//! Tools that a request offers, and the one that it insists on.

use serde_json::Value;

/// A tool that the request offers.
#[derive(Debug)]
pub(crate) struct OfferedTool {
    pub(crate) name: String,
    /// JSON Schema of the arguments.
    pub(crate) schema: Value,
    /// Takes a text instead of arguments; OpenAI Responses alone.
    pub(crate) freeform: bool,
}

/// The tools in one entry of the list: Gemini has several in one.
pub(super) fn offered(raw: &str) -> Vec<OfferedTool> {
    let tool: Value = serde_json::from_str(raw).unwrap_or_default();
    match tool.get("functionDeclarations").and_then(Value::as_array) {
        Some(several) => several.iter().filter_map(one).collect(),
        None => one(&tool).into_iter().collect(),
    }
}

fn one(tool: &Value) -> Option<OfferedTool> {
    let freeform =
        tool.get("type").and_then(Value::as_str) == Some("custom") && tool.get("input_schema").is_none();
    let tool = tool.get("function").unwrap_or(tool);
    let schema = ["input_schema", "parameters", "parametersJsonSchema"]
        .into_iter()
        .find_map(|name| tool.get(name));
    Some(OfferedTool {
        name: tool.get("name")?.as_str()?.to_owned(),
        schema: schema.cloned().unwrap_or(Value::Null),
        freeform,
    })
}

/// By `tool_choice`: `Some("")` for any.
pub(super) fn forced(choice: &Value) -> Option<String> {
    if choice.as_str() == Some("required") {
        return Some(String::new());
    }
    match choice.get("type")?.as_str()? {
        "any" => Some(String::new()),
        "tool" | "custom" => Some(choice.get("name")?.as_str()?.to_owned()),
        "function" => {
            let function = choice.get("function").unwrap_or(choice);
            Some(function.get("name")?.as_str()?.to_owned())
        }
        _ => None,
    }
}

/// By `toolConfig`: the first of the allowed ones, `Some("")` for any.
pub(super) fn forced_at_gemini(config: &Value) -> Option<String> {
    let calling = config.get("functionCallingConfig")?;
    if calling.get("mode")?.as_str()? != "ANY" {
        return None;
    }
    let allowed = calling
        .get("allowedFunctionNames")
        .and_then(|names| names.get(0)?.as_str());
    Some(allowed.unwrap_or_default().to_owned())
}
