//! Runs everything that is measured, and writes the figures into docs/performance.md and the plots beside it.
//!
//! ```text
//! cargo run --release -p taa-benches --bin performance               # what has no result yet, then the document
//! cargo run --release -p taa-benches --bin performance -- --again    # everything once more
//! cargo run --release -p taa-benches --bin performance -- --again http scale
//! cargo run --release -p taa-benches --bin performance -- --document # only the document, from the results there are
//! ```
//!
//! Each step leaves its result in `performance` below cargo's target folder. A run that was stopped goes on with the first
//! step that has none. The whole takes about twelve minutes on a machine that should do nothing else meanwhile, and the time to
//! build once: everything is measured as built for release, which is how most services build it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

mod aims;
mod collect;
mod document;
mod machine;
mod plots;
mod steps;
mod svg;
mod tables;

use std::process::ExitCode;

use collect::Results;
use machine::Machine;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        None => steps::run(),
        Some(("--again", names)) => steps::forget(names).and_then(|()| steps::run()),
        Some(("--document", [])) => Ok(()),
        _ => Err("one of: nothing, --again [STEP..], --document".to_owned()),
    };
    match done.and_then(|()| write()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

/// Document, plots, and the figures they come from.
fn write() -> Result<(), String> {
    let results = Results::read(Machine::this()?);
    for (name, plot) in plots::all(&results) {
        document::write(&document::folder().join(format!("performance/{name}.svg")), &plot)?;
    }
    document::write(&document::folder().join("performance/results.json"), &results.to_json()?)?;
    let path = document::folder().join("performance.md");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let filled = document::fill(&text, |name| tables::table(name, &results))?;
    document::write(&path, &filled)?;
    println!("written: {}", path.display());
    Ok(())
}
