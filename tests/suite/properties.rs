//! What must hold for every input, tried on many.
//!
//! A failing input is written to `proptest-regressions/`, which belongs into the repository, and is tried first ever after.

mod addresses;
mod certificates;
mod forwarded;
mod headers;
mod parsers;
mod paths;

use proptest::test_runner::Config;

/// How often each property is tried.
fn cases(cases: u32) -> Config {
    Config { cases, ..Config::default() }
}
