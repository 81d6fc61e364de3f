//! An application's rules between the command line and the store.

use std::time::Duration;

use taa_core::policy::{GreatestTimeout, Protocol};
use taa_store::model::RulesText;

use crate::args::{RulesArgs, TrustSetArgs};
use crate::exit::Failure;
use crate::output::Output;
use crate::table::Fields;
use crate::text::{plain, yes_no};

/// The greatest timeout of the server whose rules these are: as given, or 60 s. A record that has a longer one already
/// tells that its server's is greater.
pub(super) fn greatest(seconds: Option<u64>, present: Option<Duration>) -> Result<GreatestTimeout, Failure> {
    let usual = GreatestTimeout::default();
    let greatest = match seconds {
        Some(seconds) => Duration::from_secs(seconds),
        None => present.unwrap_or_default().max(usual.get()),
    };
    GreatestTimeout::new(greatest).map_err(|error| Failure::usage(format!("--greatest-timeout: {error}")))
}

/// Puts what was given in place of what is there.
pub(super) fn overlay(text: &mut RulesText, args: &RulesArgs) {
    let fields = [
        (&mut text.name, &args.name),
        (&mut text.addresses, &args.addresses),
        (&mut text.paths, &args.paths),
        (&mut text.methods, &args.methods),
        (&mut text.never_as, &args.never_as),
        (&mut text.timeout, &args.timeout),
    ];
    for (field, given) in fields {
        if let Some(given) = given {
            field.clone_from(given);
        }
    }
    if let Some(protocol) = args.min_protocol {
        text.min_protocol = Protocol::from(protocol).to_string();
    }
    if let Some(allow) = args.allow_repeats {
        text.allow_repeats = allow.into();
    }
}

/// Puts single items into the lists and takes single items out.
pub(super) fn edit(text: &mut RulesText, args: &TrustSetArgs) -> Result<(), Failure> {
    let blanks: &[char] = &[' ', '\t', '\n', '\r', ','];
    let lines: &[char] = &['\n', '\r', ','];
    list(&mut text.addresses, &args.add_address, &args.remove_address, blanks)?;
    list(&mut text.paths, &args.add_path, &args.remove_path, blanks)?;
    list(&mut text.methods, &args.add_method, &args.remove_method, blanks)?;
    list(&mut text.never_as, &args.add_never_as, &args.remove_never_as, lines)
}

fn list(text: &mut String, add: &[String], remove: &[String], separators: &[char]) -> Result<(), Failure> {
    let mut items: Vec<String> =
        text.split(separators).map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect();
    for gone in remove {
        let before = items.len();
        items.retain(|item| item != gone.trim());
        if items.len() == before {
            return Err(Failure::not_found(format!(
                "`{}` is not in the list: {}",
                plain(gone),
                items.join(", ")
            )));
        }
    }
    items.extend(add.iter().map(|item| item.trim().to_owned()));
    *text = items.join("\n");
    Ok(())
}

/// The rules for people.
pub(super) fn describe(output: &Output, text: &RulesText) -> String {
    let mut fields = Fields::new(output);
    fields.field("Addresses", listed(&text.addresses, "none: it may call from nowhere"));
    fields.field("Paths", listed(&text.paths, "none: it may use nothing"));
    fields.field("Methods", listed(&text.methods, "none"));
    fields.field(
        "Never as",
        listed(&text.never_as, "nobody: it may act as every user, administrators included"),
    );
    fields.field("Timeout", format!("{} ms", text.timeout.trim()));
    fields.field("Lowest version", &text.min_protocol);
    if text.allow_repeats {
        fields.field("Repeats", format!("allowed in versions 2 and 3: {}", yes_no(true)));
    }
    let mut shown = fields.into_text();
    shown.push('\n');
    shown
}

fn listed(text: &str, nothing: &str) -> String {
    let items: Vec<&str> = text.lines().map(str::trim).filter(|item| !item.is_empty()).collect();
    if items.is_empty() { nothing.to_owned() } else { items.join("\n") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_come_and_go() {
        let blanks: &[char] = &[' ', '\n', ','];
        let mut text = "/rest\n/sr".to_owned();
        list(&mut text, &["/x".into()], &["/sr".into()], blanks).unwrap();
        assert_eq!(text, "/rest\n/x");
        assert!(list(&mut text, &[], &["/sr".into()], blanks).is_err());
        assert_eq!(text, "/rest\n/x");
    }
}
