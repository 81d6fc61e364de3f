//! What a person types about an application, and the rules of its fields.

use std::time::Duration;

use taa_core::policy::{
    AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, PolicyError, Protocol,
};

use super::{Field, FieldError, FieldErrors, Rules, RulesText};

impl RulesText {
    /// The name and the rules. Every field is looked at, and all that is wrong comes together, in the order of the form.
    ///
    /// Lists take lines, commas or blanks between their items; the users never to be named only lines or commas, because
    /// names may hold blanks. Items that are there twice count once, blank ones not at all. An empty list is refused
    /// where it would allow nothing: who means everything types `any`.
    ///
    /// # Errors
    /// The fields that are wrong, each with a sentence that names the first bad item.
    pub fn parse(&self, greatest: GreatestTimeout) -> Result<(String, Rules), FieldErrors> {
        let name = name(&self.name);
        let timeout = timeout(&self.timeout, greatest);
        let min_protocol = self.min_protocol.trim().parse::<Protocol>();
        let addresses = addresses(&self.addresses, min_protocol.ok());
        let paths = paths(&self.paths);
        let methods = methods(&self.methods);
        let never_as = NeverAs::parse_list(&self.never_as).map_err(|error| error.to_string());
        let min_protocol =
            min_protocol.map_err(|_| "The lowest protocol version must be 2, 3 or 4.".to_owned());
        let mut errors = Errors::default();
        errors.note(Field::Name, &name);
        errors.note(Field::Timeout, &timeout);
        errors.note(Field::Addresses, &addresses);
        errors.note(Field::Paths, &paths);
        errors.note(Field::MethodList, &methods);
        errors.note(Field::NeverAs, &never_as);
        errors.note(Field::MinProtocol, &min_protocol);
        let (Ok(name), Ok(timeout), Ok(addresses), Ok(paths), Ok(methods), Ok(never_as), Ok(min_protocol)) =
            (name, timeout, addresses, paths, methods, never_as, min_protocol)
        else {
            return Err(FieldErrors(errors.0));
        };
        let allow_repeats = self.allow_repeats;
        let rules = Rules { addresses, paths, methods, never_as, timeout, min_protocol, allow_repeats };
        match rules.policy(greatest) {
            Ok(_) => Ok((name, rules)),
            Err(error) => Err(error.into()),
        }
    }

    /// Name and rules as they are edited: what [`parse`](Self::parse) reads back as the same rules.
    #[must_use]
    pub fn of(name: &str, rules: &Rules) -> Self {
        let lines = |items: Vec<String>| items.join("\n");
        Self {
            name: name.to_owned(),
            timeout: rules.timeout.as_millis().to_string(),
            addresses: lines(rules.addresses.rules().iter().map(ToString::to_string).collect()),
            paths: lines(rules.paths.rules().iter().map(ToString::to_string).collect()),
            methods: lines(rules.methods.clone().into()),
            never_as: lines(rules.never_as.patterns().iter().map(ToString::to_string).collect()),
            min_protocol: rules.min_protocol.to_string(),
            allow_repeats: rules.allow_repeats,
        }
    }
}

impl From<PolicyError> for FieldErrors {
    /// The field in which a person mends it.
    fn from(error: PolicyError) -> Self {
        let field = match error {
            PolicyError::Timeout(_) => Field::Timeout,
            _ => Field::Addresses,
        };
        Self(vec![FieldError { field, message: error.to_string() }])
    }
}

#[derive(Default)]
struct Errors(Vec<FieldError>);

impl Errors {
    fn note<T>(&mut self, field: Field, value: &Result<T, String>) {
        if let Err(message) = value {
            self.0.push(FieldError { field, message: message.clone() });
        }
    }
}

/// The rules of a certificate's name, so that one can stand where the other did.
fn name(text: &str) -> Result<String, String> {
    let name = text.trim();
    if name.is_empty() {
        return Err("The name must not be blank.".into());
    }
    if name.len() > 255 {
        return Err("The name must have at most 255 bytes.".into());
    }
    if name.chars().any(char::is_control) {
        return Err("The name must not have control characters.".into());
    }
    Ok(name.to_owned())
}

/// One message for whatever is wrong: it tells what is right.
fn timeout(text: &str, greatest: GreatestTimeout) -> Result<Duration, String> {
    let text = text.trim();
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let millis = if digits { text.parse().ok() } else { None };
    millis
        .filter(|millis| *millis > 0)
        .map(Duration::from_millis)
        .filter(|timeout| *timeout <= greatest.get())
        .ok_or_else(|| {
            let greatest = greatest.get().as_millis();
            format!("The timeout must be a positive whole number of milliseconds, at most {greatest}.")
        })
}

fn addresses(text: &str, min_protocol: Option<Protocol>) -> Result<AddressRules, String> {
    let rules = AddressRules::parse_list(text).map_err(|error| error.to_string())?;
    if rules.is_empty() {
        return Err("Name at least one address; to allow everybody, type `any`.".into());
    }
    if min_protocol.is_some_and(Protocol::is_legacy) && rules.names_any() {
        return Err(
            "Versions 2 and 3 are only accepted from named addresses: this list leaves nobody out.".into()
        );
    }
    Ok(rules)
}

fn paths(text: &str) -> Result<PathRules, String> {
    let rules = PathRules::parse_list(text).map_err(|error| error.to_string())?;
    if rules.is_empty() {
        return Err("Name at least one path, such as /rest; to allow every path, type `any`.".into());
    }
    Ok(rules)
}

fn methods(text: &str) -> Result<MethodRules, String> {
    let rules = MethodRules::parse_list(text).map_err(|error| error.to_string())?;
    if rules.is_empty() {
        return Err("Name at least one method, such as GET; to allow every method, type `any`.".into());
    }
    Ok(rules)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> RulesText {
        RulesText {
            name: " Wiki ".into(),
            timeout: "10000".into(),
            addresses: "10.0.0.1\r\n2001:db8::/32, 10.1.*.*".into(),
            paths: "/rest /secure/RunPortlet".into(),
            methods: "GET,HEAD".into(),
            never_as: "admin\nJane Doe, svc-*".into(),
            min_protocol: "4".into(),
            allow_repeats: false,
        }
    }

    fn errors(text: &RulesText) -> Vec<FieldError> {
        text.parse(GreatestTimeout::default()).map(drop).unwrap_err().0
    }

    fn only(text: &RulesText) -> (Field, String) {
        let mut all = errors(text);
        assert_eq!(all.len(), 1, "{all:?}");
        let error = all.remove(0);
        (error.field, error.message)
    }

    #[test]
    fn what_was_typed_and_back() {
        let (name, rules) = good().parse(GreatestTimeout::default()).unwrap();
        assert_eq!(name, "Wiki");
        assert_eq!(rules.timeout, Duration::from_secs(10));
        assert_eq!(rules.never_as.patterns().len(), 3);
        let text = RulesText::of(&name, &rules);
        assert_eq!(text.never_as, "admin\nJane Doe\nsvc-*");
        assert_eq!(text.addresses, "10.0.0.1\n2001:db8::/32\n10.1.*.*");
        assert_eq!(text.parse(GreatestTimeout::default()), Ok((name, rules)));
        let any = RulesText { addresses: "any".into(), paths: "any".into(), methods: "any".into(), ..good() };
        let (name, rules) = any.parse(GreatestTimeout::default()).unwrap();
        assert_eq!(RulesText::of(&name, &rules).methods, "any");
    }

    #[test]
    fn names() {
        for bad in ["", " \t ", "a\nb", "a\u{0}", "a\u{85}b"] {
            assert_eq!(only(&RulesText { name: bad.into(), ..good() }).0, Field::Name, "{bad:?}");
        }
        let long = |count: usize| RulesText { name: "é".repeat(count), ..good() };
        assert!(long(127).parse(GreatestTimeout::default()).is_ok());
        assert_eq!(only(&long(128)), (Field::Name, "The name must have at most 255 bytes.".into()));
    }

    #[test]
    fn one_message_for_every_bad_timeout() {
        let message = "The timeout must be a positive whole number of milliseconds, at most 60000.";
        for bad in ["", " ", "x", "0", "000", "-5", "+5", "1.5", "1e3", "60001", "99999999999999999999", "５"]
        {
            let found = only(&RulesText { timeout: bad.into(), ..good() });
            assert_eq!(found, (Field::Timeout, message.into()), "{bad:?}");
        }
        for fine in ["1", "60000", " 500 "] {
            assert!(RulesText { timeout: fine.into(), ..good() }.parse(GreatestTimeout::default()).is_ok());
        }
    }

    #[test]
    fn addresses_that_are_none() {
        for (bad, named) in [
            ("blah", "blah"),
            ("1.2.3.4.5.6", "1.2.3.4.5.6"),
            ("299.299.299.299", "299.299.299.299"),
            ("192,168,0,1", "192"),
            ("10.0.0.1\n192.168.?.1\nblah", "192.168.?.1"),
        ] {
            let (field, message) = only(&RulesText { addresses: bad.into(), ..good() });
            assert_eq!(field, Field::Addresses);
            assert!(message.starts_with(&format!("{named:?}")), "{message}");
        }
        for empty in ["", " \r\n , "] {
            let (field, message) = only(&RulesText { addresses: empty.into(), ..good() });
            assert!(field == Field::Addresses && message.contains("type `any`"), "{message}");
        }
    }

    #[test]
    fn older_versions_leave_somebody_out() {
        for version in ["2", "3"] {
            for everybody in ["any", "*.*.*.*", "0.0.0.0/1 128.0.0.0/1"] {
                let text = RulesText { min_protocol: version.into(), addresses: everybody.into(), ..good() };
                assert_eq!(only(&text).0, Field::Addresses);
            }
            assert!(
                RulesText { min_protocol: version.into(), ..good() }
                    .parse(GreatestTimeout::default())
                    .is_ok()
            );
        }
        for bad in ["", "0", "1", "5", "four"] {
            assert_eq!(
                only(&RulesText { min_protocol: bad.into(), ..good() }).0,
                Field::MinProtocol,
                "{bad}"
            );
        }
    }

    #[test]
    fn paths_and_methods() {
        for bad in ["", "rest", "/ok rest", "/a/../b", "/rest/*", "Any"] {
            assert_eq!(only(&RulesText { paths: bad.into(), ..good() }).0, Field::Paths, "{bad:?}");
        }
        for bad in ["", "get", "GET,(", "Any"] {
            assert_eq!(only(&RulesText { methods: bad.into(), ..good() }).0, Field::MethodList, "{bad:?}");
        }
        for bad in ["a\tb", "e\u{301}"] {
            assert_eq!(only(&RulesText { never_as: bad.into(), ..good() }).0, Field::NeverAs, "{bad:?}");
        }
        assert!(RulesText { never_as: String::new(), ..good() }.parse(GreatestTimeout::default()).is_ok());
    }

    #[test]
    fn everything_that_is_wrong_at_once_in_the_order_of_the_form() {
        let fields: Vec<_> = errors(&RulesText::default()).into_iter().map(|error| error.field).collect();
        let expected = [
            Field::Name,
            Field::Timeout,
            Field::Addresses,
            Field::Paths,
            Field::MethodList,
            Field::MinProtocol,
        ];
        assert_eq!(fields, expected);
    }
}
