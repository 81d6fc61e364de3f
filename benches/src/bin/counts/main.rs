//! Instructions for each operation, counted by callgrind: the same on a busy machine as on a quiet one.
//!
//! ```text
//! cargo run --release -p taa-benches --bin counts                     # compares with benches/counts.json
//! cargo run --release -p taa-benches --bin counts -- --renew          # writes it
//! cargo run --release -p taa-benches --bin counts -- --where decide   # the functions that take most of one
//! ```
//!
//! Valgrind is all it takes. The program starts itself under callgrind, once for each scenario.
//!
//! What counts mean: valgrind offers programs AES and AVX2, but neither the SHA instructions nor AVX-512, so the software
//! paths of SHA-256 are counted, which take several times as many instructions as a machine of today needs. A count says
//! whether code does more or less than before, not how long it takes. It depends on the compiler, so the file holds the
//! compiler's version, and nothing is compared under another one.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the command line")]

mod book;
mod callgrind;
mod scenarios;

use std::process::ExitCode;

use book::Book;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match arguments.as_slice() {
        [] => compare(),
        ["--renew"] => renew(),
        ["--where", name] => callgrind::annotate(name),
        [callgrind::RUN, name] => scenarios::run(name),
        _ => Err("one of: nothing, --renew, --where NAME".to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}

fn compare() -> Result<(), String> {
    let book = Book::read()?;
    book.is_for(&book::compiler()?)?;
    let mut higher = Vec::new();
    for name in scenarios::names() {
        let (found, known) = (callgrind::count(name)?, book.count(name));
        println!("{}", book::line(name, found, known));
        match known {
            None => higher.push(format!("{name} is new")),
            Some(known) if book.is_higher(found, known) => higher.push(format!("{name} takes more")),
            Some(_) => {}
        }
    }
    if higher.is_empty() {
        return Ok(());
    }
    Err(format!("{}. If that is right: {}", higher.join(", "), book::HOW_TO_RENEW))
}

fn renew() -> Result<(), String> {
    let before = Book::read().ok();
    let mut book = Book::new(book::compiler()?, callgrind::version()?);
    for name in scenarios::names() {
        let found = callgrind::count(name)?;
        println!("{}", book::line(name, found, before.as_ref().and_then(|book| book.count(name))));
        book.set(name, found);
    }
    book.write()
}
