use http::Method;
use taa_core::answer::Code;
use taa_core::certificate::KeyUse;
use taa_core::decision::Reason;
use taa_core::id::{AppId, UserName};
use taa_core::legacy::EARLY;
use taa_core::policy::{NeverAs, PathRefusal, Protocol, Ratchet};
use taa_core::request::Target;
use taa_server::Resolution;

use super::asked::{Asked, Found};
use super::{Step, Verdict};
use crate::text::day_and_time;

/// A step's end and its sentence.
type End = (Verdict, String);

type Judge = fn(&Asked<'_>) -> End;

fn passes(because: impl Into<String>) -> End {
    (Verdict::Passes, because.into())
}

fn fails(code: Code, because: impl Into<String>) -> End {
    (Verdict::Fails(code), because.into())
}

fn unknown(because: impl Into<String>) -> End {
    (Verdict::Unknown, because.into())
}

fn no_application() -> End {
    unknown("There is no application whose rule could decide.")
}

/// All steps, in order.
pub(super) fn all(asked: &Asked<'_>) -> Vec<Step> {
    let steps: [(u8, &'static str, Judge); 14] = [
        (0, "protocol version", version),
        (0, "method and target", form),
        (2, "application", application),
        (2, "lowest version of the application", lowest_version),
        (3, "address", address),
        (4, "keys", keys),
        (6, "user name", user_name),
        (8, "time", time),
        (9, "method", method),
        (9, "path", path),
        (10, "never-as list", never_as),
        (10, "revoked users", revoked_users),
        (11, "user base", user_base),
        (12, "content", content),
    ];
    let judged = steps.into_iter().map(|(number, check, judge)| {
        let (verdict, because) = judge(asked);
        Step { number, check, verdict, because }
    });
    judged.collect()
}

fn version(asked: &Asked<'_>) -> End {
    let number = asked.question.protocol;
    match asked.protocol {
        Some(Protocol::V4) => passes("Version 4 is accepted."),
        Some(older) => {
            passes(format!("Version {older} is judged, where this server accepts older versions at all."))
        }
        None if number < 2 => fails(
            Code::BadProtocolVersion,
            format!("Version {number} authenticates nobody and is never accepted."),
        ),
        None => fails(Code::BadProtocolVersion, format!("There is no version {number}: it is 2, 3 or 4.")),
    }
}

fn form(asked: &Asked<'_>) -> End {
    let method = &asked.question.method;
    match Method::from_bytes(method.as_bytes()) {
        Err(_) => return fails(Code::Malformed, format!("{method:?} is no method.")),
        Ok(Method::CONNECT) => {
            return fails(
                Reason::MethodMalformed.code(),
                "A CONNECT request has no target that could be covered.",
            );
        }
        Ok(_) => {}
    }
    match Target::parse(&asked.question.target) {
        Ok(_) => passes("Both can be covered by a signature."),
        Err(error) => {
            fails(Reason::TargetMalformed(error).code(), format!("The target cannot be covered: {error}."))
        }
    }
}

fn application(asked: &Asked<'_>) -> End {
    let id = &asked.question.application;
    match &asked.application {
        Found::Broken(problem) => fails(
            Code::AppUnknown,
            format!("The record of {id:?} cannot be used, so it counts as unknown: {problem}"),
        ),
        Found::Nothing => match AppId::parse(id) {
            Ok(_) => fails(Code::AppUnknown, format!("No application with the id {id} is trusted.")),
            Err(_) if id.is_empty() => fails(Code::AppIdNotFound, "No application id is named."),
            Err(error) => fails(Code::AppUnknown, format!("{id:?} is no application id: {error}.")),
        },
        Found::Record(record, _) | Found::WithoutPolicy(record, _) if !record.enabled => {
            fails(Reason::ApplicationDisabled.code(), format!("{} is switched off.", record.name))
        }
        Found::WithoutPolicy(record, problem) => fails(
            Code::AppUnknown,
            format!(
                "The rules of {} cannot be put in force, so it counts as unknown: {problem}.",
                record.name
            ),
        ),
        Found::Record(record, _) => {
            passes(format!("{} is trusted since {}.", record.name, day_and_time(record.created.at)))
        }
    }
}

fn lowest_version(asked: &Asked<'_>) -> End {
    let Some(record) = asked.record() else { return no_application() };
    let Some(protocol) = asked.protocol else {
        return fails(Code::BadProtocolVersion, "No rule can allow a version that does not exist.");
    };
    let lowest = record.rules.min_protocol;
    let ratchet = if record.seen_v4 { Ratchet::having_seen_v4(lowest) } else { Ratchet::new(lowest) };
    if ratchet.allows(protocol) {
        passes(format!("Its lowest version is {lowest}."))
    } else if protocol < lowest {
        fails(Code::BadProtocolVersion, format!("Its lowest version is {lowest}."))
    } else {
        let because = "It has spoken version 4, so older ones are refused until a person lowers its lowest version anew.";
        fails(Code::BadProtocolVersion, because)
    }
}

fn address(asked: &Asked<'_>) -> End {
    let Some(record) = asked.record() else { return no_application() };
    let Some(address) = asked.question.address else {
        return unknown(match record.rules.addresses.rules().len() {
            1 => "No address is named; one rule would decide.".to_owned(),
            count => format!("No address is named; {count} rules would decide."),
        });
    };
    match record.rules.addresses.rule_for(address) {
        Some(rule) => passes(format!("The rule {rule} allows {address}.")),
        None if record.rules.addresses.is_empty() => {
            fails(Reason::AddressRemote.code(), "There is no address rule, so no address is allowed.")
        }
        None => {
            let code = Reason::AddressForwarded.code();
            let because = format!(
                "No rule allows {address}; if it is a proxy that names the address, the code is {code}."
            );
            fails(Reason::AddressRemote.code(), because)
        }
    }
}

fn keys(asked: &Asked<'_>) -> End {
    let Some(record) = asked.record() else { return no_application() };
    if asked.is_older() {
        return match &record.keys.legacy {
            Some(key) if record.revoked_keys.contains(&key.0.thumbprint()) => {
                fails(Code::AppUnknown, "Its key of the older versions was revoked.")
            }
            Some(key) => passes(format!("It signs older versions with the key {}.", key.0.thumbprint())),
            None => fails(Code::AppUnknown, "It has no key for the older versions."),
        };
    }
    let own = asked.snapshot.own.as_ref();
    if own.is_none_or(|own| own.certificate.content().current(KeyUse::Decryption).is_none()) {
        return fails(
            Reason::DecryptionKeyUnknown.code(),
            "This application has no decryption key of its own.",
        );
    }
    let Some(certificate) = &record.keys.certificate else {
        return fails(Reason::SigningKeyUnknown.code(), "It has no key of version 4.");
    };
    let mut ended = Vec::new();
    let mut depends = None;
    for key in certificate.content().all(KeyUse::Signing) {
        let id = key.public.id();
        if record.revoked_keys.contains(&id) {
            ended.push(format!("{id} was revoked"));
            continue;
        }
        let until = key.exp.map(|end| day_and_time(taa_core::time::UnixMillis(end.saturating_mul(1000))));
        match (until, asked.known.now) {
            (None, _) => return passes(format!("The {} key {id} may be used.", key.status)),
            (Some(until), Some(now)) if key.usable_at(now) => {
                return passes(format!("The {} key {id} may be used until {until}.", key.status));
            }
            (Some(until), Some(_)) => ended.push(format!("{id} has ended at {until}")),
            (Some(until), None) => {
                depends = Some(format!("The {} key {id} may be used until {until}.", key.status))
            }
        }
    }
    match depends {
        Some(because) => unknown(because),
        None => {
            let because = format!("None of its signing keys may be used: {}.", ended.join(", "));
            fails(Reason::SigningKeyUnknown.code(), because)
        }
    }
}

fn user_name(asked: &Asked<'_>) -> End {
    match UserName::parse(&asked.question.user) {
        Ok(_) => passes("It is a user's name."),
        Err(error) => fails(asked.no_user_name(), format!("It is no user's name: {error}.")),
    }
}

fn time(asked: &Asked<'_>) -> End {
    let Found::Record(_, policy) = &asked.application else { return no_application() };
    let timeout = policy.timeout().capped(asked.greatest).as_millis();
    let skew = asked.known.skew.get().as_millis();
    if asked.is_older() {
        let ahead = EARLY.as_millis();
        return unknown(format!(
            "A request is good for {timeout} ms after the time it names, and may be dated up to {ahead} ms and the skew \
             of {skew} ms ahead."
        ));
    }
    unknown(format!(
        "A request is good for {timeout} ms after it was made, by this server's clock; its clock may be up to {skew} ms \
         ahead."
    ))
}

fn method(asked: &Asked<'_>) -> End {
    let Some(record) = asked.record() else { return no_application() };
    let (rules, method) = (&record.rules.methods, &asked.question.method);
    let allowed = Method::from_bytes(method.as_bytes()).is_ok_and(|method| rules.allows(&method));
    let list = || rules.methods().iter().map(Method::as_str).collect::<Vec<_>>().join(", ");
    match allowed {
        true if rules.names_any() => passes("Every method is allowed: any."),
        true => passes(format!("{method} is among the methods.")),
        false if rules.is_empty() => fails(Reason::MethodNotAllowed.code(), "No method is allowed."),
        false => {
            fails(Reason::MethodNotAllowed.code(), format!("{method:?} is not among the methods {}.", list()))
        }
    }
}

fn path(asked: &Asked<'_>) -> End {
    let Some(record) = asked.record() else { return no_application() };
    let Ok(target) = Target::parse(&asked.question.target) else {
        return unknown("There is no path in this target.");
    };
    let rules = &record.rules.paths;
    match rules.rule_for(target.path()) {
        Ok(_) if rules.names_any() => passes("Every path is allowed: any."),
        Ok(rule) => passes(format!("The rule {rule} allows {}.", target.path())),
        Err(PathRefusal::Ambiguous(error)) => fails(
            Reason::PathNotAllowed.code(),
            format!("The path may mean another one to somebody else, so it is refused: {error}."),
        ),
        Err(_) if rules.is_empty() => fails(Reason::PathNotAllowed.code(), "No path is allowed."),
        Err(_) => fails(
            Reason::PathNotAllowed.code(),
            format!("No rule allows {}. It may be added.", target.path()),
        ),
    }
}

/// The names a rule is asked for: the one that was typed, and the one the user base has for it.
fn names(asked: &Asked<'_>) -> Vec<UserName> {
    let typed = UserName::parse(&asked.question.user).ok();
    let found = match asked.known.user_base {
        Some(Ok(Resolution::Known(found))) => Some(found.clone()),
        _ => None,
    };
    typed.into_iter().chain(found).collect()
}

fn forbidden_by(rules: &NeverAs, names: &[UserName]) -> Option<String> {
    let by = |name: &UserName| Some(format!("{} forbids {name}.", rules.forbids(name)?));
    names.iter().find_map(by)
}

fn never_as(asked: &Asked<'_>) -> End {
    let Some(record) = asked.record() else { return no_application() };
    let names = names(asked);
    match forbidden_by(&record.rules.never_as, &names) {
        _ if names.is_empty() => unknown("There is no user's name to look for."),
        Some(by) => fails(Reason::UserNever.code(), format!("The rule {by}")),
        None if record.rules.never_as.is_empty() => passes("The list is empty: it may act as everybody."),
        None => passes("No rule of the list forbids this user."),
    }
}

fn revoked_users(asked: &Asked<'_>) -> End {
    let names = names(asked);
    let revoked = &asked.snapshot.revoked_users;
    if names.is_empty() {
        return unknown("There is no user's name to look for.");
    }
    for user in revoked {
        let rule = NeverAs::from(vec![user.pattern.clone()]);
        if let Some(by) = forbidden_by(&rule, &names) {
            let stamp = &user.revoked;
            let since = format!("revoked by {} at {}", stamp.by, day_and_time(stamp.at));
            return fails(Reason::UserRevoked.code(), format!("For all applications {by} It was {since}."));
        }
    }
    passes("No application is forbidden to act as this user.")
}

fn user_base(asked: &Asked<'_>) -> End {
    match asked.known.user_base {
        None => unknown("Only the service's user base knows whether the user exists and may log in."),
        Some(Ok(Resolution::Known(found))) => passes(format!("The user base knows {found}, who may log in.")),
        Some(Ok(Resolution::MayNotLogIn)) => {
            fails(Reason::UserNotAllowed.code(), "The user exists and may not log in.")
        }
        Some(Ok(Resolution::Unknown)) => fails(Reason::UserUnknown.code(), "The user base has no such user."),
        Some(Err(error)) => {
            fails(Reason::System("user base").code(), format!("The user base failed: {error}."))
        }
    }
}

fn content(asked: &Asked<'_>) -> End {
    if asked.is_older() {
        return unknown("These versions do not sign the content: whatever comes is accepted.");
    }
    unknown("Content must match its Content-Digest field; without the field there must be none.")
}
