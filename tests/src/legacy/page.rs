use serde_json::Value;
use taa_core::id::AppId;
use taa_core::legacy::{CERTIFICATE_PATH, CertificatePage, PageError, Version};

use super::verdict::{Class, Tally};
use super::{Keys, list, same, text};

/// Runs certificate pages, written and read.
pub(super) fn run(json: &Value, keys: &Keys) -> Result<Tally, String> {
    let mut tally = Tally::default();
    if let Ok(path) = text(json, "path") {
        same("the path", CERTIFICATE_PATH, path)?;
    }
    for case in list(json, "written")? {
        let page = text(case, "page")?;
        same("a page", write(page, keys)?, page.to_owned())?;
        tally.same();
    }
    for case in list(json, "read")? {
        let name = text(case, "name").unwrap_or("without a name");
        read(case, keys, &mut tally).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(tally)
}

/// The same page from its parts.
fn write(page: &str, keys: &Keys) -> Result<String, String> {
    let lines: Vec<&str> = page.split('\n').collect();
    let version = match lines.get(2) {
        None => Version::V0,
        Some(&"1") => Version::V1,
        Some(&"2") => Version::V2,
        Some(&"3") => Version::V3,
        Some(other) => return Err(format!("version {other:?}")),
    };
    let app_id = AppId::parse(lines.first().ok_or("no id")?).map_err(|error| error.to_string())?;
    Ok(CertificatePage::write(&app_id, &keys.by_page(page)?.verifying, version))
}

fn read(case: &Value, keys: &Keys, tally: &mut Tally) -> Result<(), String> {
    let found = CertificatePage::read(text(case, "text")?);
    if text(case, "result")? == "ok" {
        let id = text(case, "id")?;
        if AppId::parse(id).is_err() {
            same("an id that is none", matches!(found, Err(PageError::AppId(_))), true)?;
            tally.differs(Class::AppIdAlphabet);
            return Ok(());
        }
        let found = found.map_err(|error| error.to_string())?;
        same("the id", found.app_id.as_str(), id)?;
        same("the key", &found.key, &keys.named(text(case, "key")?)?.verifying)?;
        tally.same();
        return Ok(());
    }
    let error = found.err().ok_or("read what the library refused")?;
    let said = format!(
        "{} {} {}",
        text(case, "class").unwrap_or_default(),
        text(case, "message").unwrap_or_default(),
        text(case, "transportError").unwrap_or_default()
    );
    // A page of one line makes the library format an error text out of it, braces included.
    let expected = if said.contains("MISSING_CERT") || said.contains("can't parse argument") {
        matches!(error, PageError::TooFewLines)
    } else if said.contains("BAD_MAGIC") {
        matches!(error, PageError::Magic)
    } else if said.contains("NumberFormat") {
        matches!(error, PageError::Version)
    } else if said.contains("IndexOutOfBounds") {
        matches!(error, PageError::ThreeLines)
    } else {
        matches!(error, PageError::Key(_))
    };
    same(&format!("{error:?} fits {said:?}"), expected, true)?;
    if text(case, "result")?.starts_with("unchecked") {
        tally.differs(Class::UncaughtFault);
    } else {
        tally.same();
    }
    Ok(())
}
