use std::iter::Peekable;
use std::str::CharIndices;

use crate::issue::{Issue, IssueKey, ProjectKey};

/// A search in a small part of JQL: `project = HSP`, `key = HSP-1`, joined by `AND`. An empty text finds everything.
///
/// Names of fields and `AND` may be in any case; values may stand in quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Jql {
    clauses: Vec<Clause>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Clause {
    Key(IssueKey),
    Project(ProjectKey),
}

impl Jql {
    /// The longest text that is read, in bytes.
    pub const MAX_LEN: usize = 1000;

    /// Reads a text.
    ///
    /// # Errors
    /// The first thing that is not understood.
    pub fn parse(text: &str) -> Result<Self, JqlError> {
        if text.len() > Self::MAX_LEN {
            return Err(JqlError::TooLong);
        }
        let mut tokens = Tokens { chars: text.char_indices().peekable() };
        let mut clauses = Vec::new();
        let mut next = tokens.next()?;
        while let Some(field) = next {
            clauses.push(Clause::parse(&field, &mut tokens)?);
            next = match tokens.next()? {
                None => None,
                Some(Token::Word(word)) if word.eq_ignore_ascii_case("and") => {
                    Some(tokens.next()?.ok_or(JqlError::Unfinished)?)
                }
                Some(_) => return Err(JqlError::Joint),
            };
        }
        Ok(Self { clauses })
    }

    /// Whether the issue is one of those wanted.
    #[must_use]
    pub fn matches(&self, issue: &Issue) -> bool {
        self.clauses.iter().all(|clause| match clause {
            Clause::Key(key) => issue.key == *key,
            Clause::Project(project) => issue.key.project() == project,
        })
    }
}

impl Clause {
    fn parse(field: &Token, tokens: &mut Tokens<'_>) -> Result<Self, JqlError> {
        let Token::Word(field) = field else { return Err(JqlError::Field) };
        match tokens.next()?.ok_or(JqlError::Unfinished)? {
            Token::Equals => {}
            Token::Word(_) | Token::Quoted(_) => return Err(JqlError::Operator),
        }
        let value = match tokens.next()?.ok_or(JqlError::Unfinished)? {
            Token::Word(value) | Token::Quoted(value) => value,
            Token::Equals => return Err(JqlError::Value),
        };
        if field.eq_ignore_ascii_case("project") {
            value.parse().map(Self::Project).map_err(|_| JqlError::Value)
        } else if field.eq_ignore_ascii_case("key") {
            value.parse().map(Self::Key).map_err(|_| JqlError::Value)
        } else {
            Err(JqlError::Field)
        }
    }
}

enum Token {
    Equals,
    Quoted(String),
    Word(String),
}

struct Tokens<'a> {
    chars: Peekable<CharIndices<'a>>,
}

impl Tokens<'_> {
    fn next(&mut self) -> Result<Option<Token>, JqlError> {
        while self.chars.next_if(|(_, c)| c.is_whitespace()).is_some() {}
        let Some((at, first)) = self.chars.next() else { return Ok(None) };
        match first {
            '=' => Ok(Some(Token::Equals)),
            '"' | '\'' => {
                let mut text = String::new();
                loop {
                    match self.chars.next() {
                        None => return Err(JqlError::Quote),
                        Some((_, c)) if c == first => return Ok(Some(Token::Quoted(text))),
                        Some((_, c)) => text.push(c),
                    }
                }
            }
            c if word(c) => {
                let mut text = String::from(c);
                while let Some((_, c)) = self.chars.next_if(|(_, c)| word(*c)) {
                    text.push(c);
                }
                Ok(Some(Token::Word(text)))
            }
            _ => Err(JqlError::Character { at }),
        }
    }
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-')
}

/// Why a text is not understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum JqlError {
    /// A character that belongs to nothing.
    #[error("the character at byte {at} of the query is not understood")]
    Character {
        /// Where it stands, in bytes from the front.
        at: usize,
    },
    /// A field other than `project` and `key`.
    #[error("a query asks for project or key")]
    Field,
    /// Two clauses without `AND` between them.
    #[error("the parts of a query are joined by AND")]
    Joint,
    /// Something else where `=` should be.
    #[error("the only comparison is =")]
    Operator,
    /// A quote that is never closed.
    #[error("a quote in the query is not closed")]
    Quote,
    /// It has more than 1000 bytes.
    #[error("the query is too long")]
    TooLong,
    /// It ends in the middle of a clause.
    #[error("the query ends too early")]
    Unfinished,
    /// A value that can be no project's or issue's key.
    #[error("a value of the query is not a key")]
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn understood() {
        let hsp = Clause::Project("HSP".parse().unwrap());
        let one = Clause::Key("HSP-1".parse().unwrap());
        for (text, clauses) in [
            ("", vec![]),
            ("  ", vec![]),
            ("project = HSP", vec![hsp.clone()]),
            ("PROJECT=\"HSP\"", vec![hsp.clone()]),
            ("key='HSP-1'", vec![one.clone()]),
            ("project=HSP and key = HSP-1", vec![hsp, one]),
        ] {
            assert_eq!(Jql::parse(text), Ok(Jql { clauses }), "{text:?}");
        }
    }

    #[test]
    fn not_understood() {
        use JqlError::*;
        for (text, why) in [
            ("assignee = fred", Field),
            ("= HSP", Field),
            ("\"project\" = HSP", Field),
            ("project", Unfinished),
            ("project =", Unfinished),
            ("project = HSP AND", Unfinished),
            ("project = HSP OR project = MKY", Joint),
            ("project in HSP", Operator),
            ("project = = HSP", Value),
            ("project = <b>", Character { at: 10 }),
            ("project = \"HSP", Quote),
            ("key = HSP", Value),
            ("project = hsp", Value),
        ] {
            assert_eq!(Jql::parse(text), Err(why), "{text:?}");
        }
        assert_eq!(Jql::parse(&" ".repeat(1001)), Err(TooLong));
    }
}
