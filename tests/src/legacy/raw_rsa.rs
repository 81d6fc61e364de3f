use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::verdict::Tally;
use super::{Keys, filler, hex, list, same, text};

/// Runs textbook RSA both ways: results to the byte, and an error wherever the library threw.
pub(super) fn run(json: &Value, keys: &Keys) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for case in list(json, "cases")? {
        let name = text(case, "name").unwrap_or("without a name");
        run_case(case, keys).map_err(|error| format!("{name}: {error}"))?;
        tally.same();
    }
    Ok(tally)
}

fn run_case(case: &Value, keys: &Keys) -> Result<(), String> {
    let key = keys.named(text(case, "key")?)?;
    let input = hex(text(case, "inputHex")?)?;
    let given = |member: &str| -> Result<Option<Vec<u8>>, String> {
        case.get(member).and_then(Value::as_str).map(hex).transpose()
    };

    let private = key.signing.insecure_raw(&input, &mut filler()).ok();
    same("the private operation failed", private.is_none(), case.get("privateOpException").is_some())?;
    same("the private operation", private.clone(), given("privateOpHex")?)?;
    if let Some(private) = private {
        same("its base64", STANDARD.encode(&private), text(case, "privateOpBase64")?.to_owned())?;
        same("the way back", key.verifying.insecure_raw(&private).ok(), given("publicOpOfThatHex")?)?;
    }
    let public = key.verifying.insecure_raw(&input).ok();
    same("the public operation failed", public.is_none(), case.get("publicOpOfInputException").is_some())?;
    same("the public operation", public, given("publicOpOfInputHex")?)
}
