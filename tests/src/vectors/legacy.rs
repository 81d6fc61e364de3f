//! The kinds of the older versions, whose runner is [`crate::legacy`].

use std::path::Path;

use serde_json::Value;

use super::{Kind, Tally, VectorFile};
use crate::legacy::{self, Keys};

/// All kinds of the older versions.
pub const KIND: Kind = Kind { name: "older versions", recognise, run };

fn recognise(content: &Value) -> bool {
    legacy::recognise(content).is_some()
}

fn run(file: &VectorFile, tally: &mut Tally) -> Result<(), String> {
    let group = legacy::recognise(&file.content).map(|kind| format!("{kind:?}")).unwrap_or_default();
    let keys = keys_for(&file.path)?;
    match legacy::run(&file.content, &keys) {
        Ok(counted) => {
            for _ in 0..counted.cases {
                tally.case(&group, String::new, Ok(()));
            }
            for (class, count) in counted.differences {
                (0..count).for_each(|_| tally.note(&format!("difference: {class}")));
            }
        }
        Err(why) => tally.case(&group, || "the first wrong case".into(), Err(why)),
    }
    Ok(())
}

/// Files name keys: those of a `keys.json` beside the file, or else the bundled ones.
fn keys_for(path: &Path) -> Result<Keys, String> {
    let beside = path.with_file_name("keys.json");
    let content = if beside.is_file() {
        VectorFile::read(&beside).map_err(|failure| failure.to_string())?.content
    } else {
        serde_json::from_str(include_str!("../../vectors/legacy/keys.json")).map_err(|e| e.to_string())?
    };
    let mut keys = Keys::default();
    keys.add(&content)?;
    Ok(keys)
}
