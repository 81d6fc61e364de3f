/// Which part of a result is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many issues to leave out at the front.
    pub start: usize,
    /// At most this many issues.
    pub max: usize,
}

impl Window {
    /// The most issues one answer holds.
    pub const MAX: usize = 1000;

    /// The whole result, as far as one answer can hold it.
    pub const ALL: Self = Self { start: 0, max: Self::MAX };
}

/// A part of a result, and how long the whole is.
#[derive(Clone, Debug)]
pub struct Found<T> {
    /// How many issues are left out at the front.
    pub start: usize,
    /// How many issues the viewer would see in all.
    pub total: usize,
    /// The issues of this part.
    pub issues: Vec<T>,
}

impl<T> Found<T> {
    /// The position after the last issue of this part.
    #[must_use]
    pub fn end(&self) -> usize {
        self.start.saturating_add(self.issues.len())
    }
}
