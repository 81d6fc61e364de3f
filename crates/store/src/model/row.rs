/// A record, or what is known of one that no longer parses. The latter counts as unknown at request time; a person
/// sees it in the list and can delete it.
#[derive(Clone, Debug)]
pub enum Row<T> {
    /// It can be used.
    Good(Box<T>),
    /// It cannot.
    Broken {
        /// Its id, as it stands in the database.
        id: String,
        /// Its name, as it stands in the database.
        name: String,
        /// What does not parse, for a person.
        problem: String,
    },
}

impl<T> Row<T> {
    /// The record, if it can be used.
    #[must_use]
    pub fn good(&self) -> Option<&T> {
        match self {
            Self::Good(record) => Some(record),
            Self::Broken { .. } => None,
        }
    }
}
