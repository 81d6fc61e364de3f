//! A file of keys that other files refer to by name. It has no cases of its own but that its keys are keys.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;

use super::{Kind, Tally, VectorFile};

/// The kind of `keys.json`.
pub const KIND: Kind = Kind { name: "keys for other files", recognise, run };

fn recognise(content: &Value) -> bool {
    content
        .as_object()
        .is_some_and(|all| !all.is_empty() && all.values().all(|key| key.get("pkcs8").is_some()))
}

#[derive(Deserialize)]
struct Key {
    pkcs8: String,
}

fn run(file: &VectorFile, tally: &mut Tally) -> Result<(), String> {
    let keys: BTreeMap<String, Key> = file.parse()?;
    for (name, key) in &keys {
        let der = STANDARD.decode(&key.pkcs8).map_err(|error| error.to_string());
        // A DER sequence with a length of two bytes, as every RSA key from 1024 bits up.
        let result = der.and_then(|der| match der.as_slice() {
            [0x30, 0x82, high, low, rest @ ..]
                if rest.len() == usize::from(u16::from_be_bytes([*high, *low])) =>
            {
                Ok(())
            }
            _ => Err("not the DER of a private key".to_owned()),
        });
        tally.case("keys", || name.clone(), result);
    }
    Ok(())
}
