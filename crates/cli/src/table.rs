//! Tables for people. They fit the terminal; where there is none, nothing is wrapped.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, Width, presets};

use taa_core::id::KeyId;

use crate::output::Output;
use crate::text::plain;

/// In a narrower terminal a whole key id would be broken into lines.
const ROOM_FOR_KEY_IDS: usize = 110;

/// Rows under headings.
#[derive(Debug)]
pub(crate) struct Rows(Table);

impl Rows {
    pub(crate) fn new(output: &Output, headings: &[&str]) -> Self {
        let mut table = base(output);
        table.set_header(headings.iter().map(|heading| heading.to_uppercase()));
        Self(table)
    }

    /// The column is never narrower than its longest cell.
    pub(crate) fn keep_whole(mut self, column: usize) -> Self {
        if let Some(column) = self.0.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
        self
    }

    /// The column is for numbers.
    pub(crate) fn right(mut self, column: usize) -> Self {
        if let Some(column) = self.0.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        self
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.0.add_row(cells.into_iter().map(|cell| lines(&cell)));
    }

    pub(crate) fn into_text(mut self) -> String {
        for column in self.0.column_iter_mut() {
            column.set_padding((0, 2));
        }
        trimmed(&self.0)
    }
}

/// Names and values, one pair a line.
#[derive(Debug)]
pub(crate) struct Fields(Table);

impl Fields {
    pub(crate) fn new(output: &Output) -> Self {
        Self(base(output))
    }

    pub(crate) fn field(&mut self, name: &str, value: impl AsRef<str>) {
        self.0.add_row([name.to_owned(), lines(value.as_ref())]);
    }

    /// A field that is left out when there is nothing to show.
    pub(crate) fn maybe(&mut self, name: &str, value: Option<impl AsRef<str>>) {
        if let Some(value) = value {
            self.field(name, value);
        }
    }

    pub(crate) fn into_text(mut self) -> String {
        for column in self.0.column_iter_mut() {
            column.set_padding((0, 2));
        }
        if let Some(column) = self.0.column_mut(0) {
            column.set_constraint(ColumnConstraint::UpperBoundary(Width::Fixed(22)));
        }
        trimmed(&self.0)
    }
}

/// A key's id as far as there is room: whole, or its first 8 bytes, which is how envelopes name it.
pub(crate) fn key_id(output: &Output, id: &KeyId) -> String {
    if output.width().is_some_and(|width| width < ROOM_FOR_KEY_IDS) {
        format!("{}…", id.short())
    } else {
        id.to_string()
    }
}

fn base(output: &Output) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    match output.width() {
        Some(width) => {
            table.set_content_arrangement(ContentArrangement::Dynamic);
            table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        None => {
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
    }
    table
}

/// Line ends of a value stay, everything else a terminal would act on is made visible.
fn lines(text: &str) -> String {
    text.lines().map(plain).collect::<Vec<_>>().join("\n")
}

/// Without the blanks that fill up the last column.
fn trimmed(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
