//! What was to be reached, beside what was: each a ratio of two figures of one run.

use std::fmt::Write;

use crate::collect::Results;
use crate::tables::PARTS;

/// One ratio that must not be above its bound.
struct Aim {
    what: &'static str,
    bound: f64,
    found: Option<f64>,
}

/// The table of aims.
pub(crate) fn table(results: &Results) -> Option<String> {
    let aims = aims(results);
    let mut out = "| | found | at most | |\n|---|---:|---:|---|\n".to_owned();
    for aim in &aims {
        let Some(found) = aim.found else { continue };
        let (digits, reached) =
            (if aim.bound < 0.1 { 4 } else { 2 }, if found <= aim.bound { "yes" } else { "**no**" });
        let _ = writeln!(out, "| {} | {found:.digits$} | {} | {reached} |", aim.what, aim.bound);
    }
    aims.iter().any(|aim| aim.found.is_some()).then_some(out)
}

fn aims(results: &Results) -> Vec<Aim> {
    let ratio = |(group, case): (&str, &str), below: &[(&str, &str)]| {
        let sum = below.iter().map(|(group, case)| results.figure(group, case)).sum::<Option<f64>>();
        Some(results.figure(group, case)? / sum?)
    };
    let sign = ("peers/symmetric sign", "version 4, in session");
    let verify = ("peers/symmetric verify", "version 4, in session");
    let decode = "header/v4/in session";
    let raw = |case| ("header/floor/rsa", case);
    let parts: f64 = results.group(PARTS).iter().map(|row| row.value).sum();
    let to_parts =
        results.figure(decode, "decode/aws-lc/2048").filter(|_| parts > 0.0).map(|all| all / parts);
    let (sha1_sign, sha1_verify) =
        (raw("sha1withrsa sign/older versions/2048"), raw("sha1withrsa verify/older versions/2048"));
    vec![
        Aim {
            what: "decide in a session, to `jsonwebtoken` HS256 decode",
            bound: 0.5,
            found: ratio(verify, &[("peers/symmetric verify", "jsonwebtoken HS256")]),
        },
        Aim { what: "decide in a session, to the sum of its parts", bound: 1.6, found: to_parts },
        Aim {
            what: "sign in a session, to `jsonwebtoken` HS256 encode",
            bound: 1.0,
            found: ratio(sign, &[("peers/symmetric sign", "jsonwebtoken HS256")]),
        },
        Aim {
            what: "sign in a session, to `jsonwebtoken` RS256 encode",
            bound: 0.002,
            found: ratio(sign, &[("peers/rsa sign", "jsonwebtoken RS256")]),
        },
        Aim {
            what: "decide with a new session, to PSS verify and OAEP decrypt of AWS-LC",
            bound: 1.1,
            found: ratio(
                ("header/v4/new session", "decode/aws-lc/2048"),
                &[raw("pss verify/aws-lc/2048"), raw("oaep decrypt/aws-lc/2048")],
            ),
        },
        Aim {
            what: "sign with a new session, to PSS sign and OAEP encrypt of AWS-LC",
            bound: 1.1,
            found: ratio(
                ("header/v4/new session", "encode/aws-lc/2048"),
                &[raw("pss sign/aws-lc/2048"), raw("oaep encrypt/aws-lc/2048")],
            ),
        },
        Aim {
            what: "decide on version 3, to its operation with RSA",
            bound: 1.15,
            found: ratio(("header/v3", "decode/2048"), &[sha1_verify]),
        },
        Aim {
            what: "decide on version 2, to its two operations with RSA",
            bound: 1.1,
            found: ratio(("header/v2", "decode/2048"), &[sha1_verify, sha1_verify]),
        },
        Aim {
            what: "sign version 3, to its operation with RSA",
            bound: 1.15,
            found: ratio(("header/v3", "encode/2048"), &[sha1_sign]),
        },
        Aim {
            what: "sign version 2, to its two operations with RSA",
            bound: 1.1,
            found: ratio(("header/v2", "encode/2048"), &[sha1_sign, sha1_sign]),
        },
    ]
}
