use serde_json::Value;
use taa_core::answer::Code;
use taa_core::legacy::{LegacyErrorText, read_params, severity, write_params};

use super::verdict::{Class, Tally};
use super::{list, same, text};

/// Runs codes, parameters and whole error texts.
pub(super) fn run(json: &Value) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for case in json.get("codes").and_then(Value::as_array).into_iter().flatten() {
        let name = text(case, "code")?;
        let code = code(name);
        same("a code", code.as_str(), name)?;
        same(name, severity(code).as_str(), text(case, "severity")?)?;
        tally.same();
    }
    for case in list(json, "encodeParams")? {
        let params = strings(case, "params")?;
        let written = write_params(&params);
        same("written parameters", written.as_str(), text(case, "encoded")?)?;
        let again = read_params(&written).map_err(|error| error.to_string())?;
        same("read again", again, options(case, "decodedAgain")?)?;
        tally.same();
    }
    for case in list(json, "decodeParams")? {
        let text = text(case, "text")?;
        let found = read_params(text).ok();
        let expected = if case.get("exception").is_some() { None } else { Some(options(case, "params")?) };
        same(&format!("parameters {text:?}"), found, expected)?;
        tally.same();
    }
    for case in list(json, "parseErrorHeader")? {
        whole(case, &mut tally).map_err(|error| format!("{case}: {error}"))?;
    }
    Ok(tally)
}

fn whole(case: &Value, tally: &mut Tally) -> Result<(), String> {
    let source = text(case, "text")?;
    let found = LegacyErrorText::parse(source);
    if case.get("exception").is_some() {
        let Ok(found) = found else {
            tally.same();
            return Ok(());
        };
        // The library loses a text whose tabs have become blanks. With the tabs put back it must be the same text.
        same("there are no tabs", source.contains(";\t"), false)?;
        same("with tabs", LegacyErrorText::parse(&source.replace("; ", ";\t")), Ok(found))?;
        tally.differs(Class::BlanksForTabs);
        return Ok(());
    }
    let found = found.map_err(|error| error.to_string())?;
    same("code", found.code.as_str(), text(case, "code")?)?;
    same("severity", severity(found.code).as_str(), text(case, "severity")?)?;
    same("parameters", found.params.clone(), strings(case, "params")?)?;
    same("written again", found.to_string().as_str(), text(case, "toString")?)?;
    let formatted = found.formatted().ok();
    same("for people", formatted.as_deref(), case.get("formatted").and_then(Value::as_str))?;
    same("no format", formatted.is_none(), case.get("formatException").is_some())?;
    let blanks =
        LegacyErrorText::parse(&source.replace(";\t", "; ").trim_end_matches("; ").replace('\t', " "));
    same("with blanks for tabs", blanks.map(|text| text.params), Ok(found.params))?;
    tally.same();
    Ok(())
}

fn code(name: &str) -> Code {
    let Ok(code) = name.parse();
    code
}

fn strings(case: &Value, member: &str) -> Result<Vec<String>, String> {
    options(case, member)?.into_iter().collect::<Option<_>>().ok_or_else(|| format!("null in {member:?}"))
}

fn options(case: &Value, member: &str) -> Result<Vec<Option<String>>, String> {
    list(case, member)?
        .iter()
        .map(|item| match item {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            other => Err(format!("{other} in {member:?}")),
        })
        .collect()
}
