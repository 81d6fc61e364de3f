use std::fmt::Write;

use taa_benches::Report;
use taa_core::policy::{
    AddressRules, GreatestTimeout, MethodRules, NeverAs, PathRules, Policy, PolicyBuilder,
};

use crate::scene::{Scene, sizes};

/// One kind of rule many times, the others once. The request is one that is allowed by the last rule of a list, and by
/// none before it; no name or pattern forbids its user, so each has to be looked at that is looked at one by one.
pub(crate) fn measure(report: &mut Report) {
    let all = sizes(&[1, 10, 100, 1_000]);
    for (case, make) in KINDS {
        for size in &all {
            let scene = Scene::with_policy(make(*size).build(GreatestTimeout::default()).expect("a policy"));
            report.add("scale/rules", case, Some((*size).into()), scene.time().0, "ns");
        }
    }
}

type Make = fn(u32) -> PolicyBuilder;

const KINDS: [(&str, Make); 4] = [
    ("addresses", |size| {
        let list =
            list(size, "127.0.0.1", |number, out| write!(out, "10.{}.{}.0/24", number / 256, number % 256));
        base().addresses(AddressRules::parse_list(&list).expect("addresses"))
    }),
    ("paths", |size| {
        let list = list(size, "/jira/rest/api/2/search", |number, out| {
            write!(out, "/jira/rest/api/2/other-{number}")
        });
        base().paths(PathRules::parse_list(&list).expect("paths"))
    }),
    ("never as, names", |size| {
        let list = list(size, "admin", |number, out| write!(out, "user-{number}"));
        base().never_as(NeverAs::parse_list(&list).expect("names"))
    }),
    ("never as, patterns", |size| {
        let list = list(size, "admin*", |number, out| write!(out, "*f*d-{number}"));
        base().never_as(NeverAs::parse_list(&list).expect("patterns"))
    }),
];

fn base() -> PolicyBuilder {
    Policy::builder()
        .addresses(AddressRules::parse_list("127.0.0.1").expect("addresses"))
        .paths(PathRules::parse_list("/jira/rest/api/2/search").expect("paths"))
        .methods(MethodRules::parse_list("GET").expect("methods"))
}

/// `size` lines, the last of which is `last`.
fn list(size: u32, last: &str, line: impl Fn(u32, &mut String) -> std::fmt::Result) -> String {
    let mut text = String::new();
    for number in 1..size {
        line(number, &mut text).expect("a line");
        text.push('\n');
    }
    text + last
}
