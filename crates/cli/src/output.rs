//! The one place that writes: results to standard output, everything else to standard error.

use std::io::{self, ErrorKind, Write};

use serde::Serialize;

use crate::exit::Failure;
use crate::style;

/// Where results and remarks go.
#[derive(Debug)]
pub(crate) struct Output {
    json: bool,
    coloured: bool,
    width: Option<usize>,
}

/// The narrowest a table is made for.
const NARROWEST: usize = 40;

impl Output {
    pub(crate) fn new(json: bool) -> Self {
        let width = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
        Self { json, coloured: style::stdout_is_coloured(), width: width.map(|width| width.max(NARROWEST)) }
    }

    /// Whether results for people have colours.
    pub(crate) fn is_coloured(&self) -> bool {
        self.coloured
    }

    /// How wide the terminal is; none when it is no terminal.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// Writes a result: as one JSON document, or as `text` makes it for people.
    pub(crate) fn result(
        &self,
        value: &impl Serialize,
        text: impl FnOnce() -> String,
    ) -> Result<(), Failure> {
        if self.json { self.json(value) } else { self.text(&text()) }
    }

    /// Writes one JSON document.
    pub(crate) fn json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text = serde_json::to_string_pretty(value).map_err(|error| Failure::of(&error))?;
        self.text(&text)
    }

    /// Writes text as it is, with a line end.
    pub(crate) fn text(&self, text: &str) -> Result<(), Failure> {
        let mut stdout = io::stdout().lock();
        let end: &[u8] = if text.is_empty() || text.ends_with('\n') { b"" } else { b"\n" };
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.write_all(end))
            .and_then(|()| stdout.flush());
        match written {
            // Whoever read has seen enough, as `head` does.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(error) => Err(Failure::failed(format!("standard output cannot be written: {error}"))),
            Ok(()) => Ok(()),
        }
    }

    /// Tells a person something besides the result.
    pub(crate) fn remark(&self, text: &str) {
        let width = terminal_size::terminal_size_of(io::stderr()).map(|(width, _)| usize::from(width.0));
        let text = match width {
            Some(width) => textwrap::fill(text, width.max(NARROWEST)),
            None => text.to_owned(),
        };
        let mut stderr = io::stderr().lock();
        // Nobody is left to be told.
        let _closed = writeln!(stderr, "{text}");
    }

    /// Shows a person something besides the result, laid out already.
    pub(crate) fn show(&self, text: &str) {
        let mut stderr = io::stderr().lock();
        let _closed = stderr.write_all(text.as_bytes());
    }

    /// Says why it was not done.
    pub(crate) fn failure(&self, failure: &Failure) {
        if !self.json {
            return self.remark(&format!("taa: {failure}"));
        }
        let report = serde_json::json!({ "error": failure.to_string(), "exit": failure.exit.code() });
        let mut stderr = io::stderr().lock();
        let _closed = writeln!(stderr, "{report}");
    }
}
