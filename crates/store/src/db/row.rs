use sqlx::Row;
use sqlx::any::AnyRow;
use taa_core::time::UnixMillis;

use crate::error::StoreError;
use crate::model::{Actor, Stamp};

/// Columns as values. What is not what it should be is [`StoreError::Unreadable`] and names the column.
pub(crate) trait Columns {
    fn text(&self, column: &str) -> Result<String, StoreError>;
    fn text_if_any(&self, column: &str) -> Result<Option<String>, StoreError>;
    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError>;
    fn bytes_if_any(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError>;
    fn number(&self, column: &str) -> Result<u64, StoreError>;
    fn number_if_any(&self, column: &str) -> Result<Option<u64>, StoreError>;
    fn flag(&self, column: &str) -> Result<bool, StoreError>;

    fn time(&self, column: &str) -> Result<UnixMillis, StoreError> {
        self.number(column).map(UnixMillis)
    }

    fn time_if_any(&self, column: &str) -> Result<Option<UnixMillis>, StoreError> {
        Ok(self.number_if_any(column)?.map(UnixMillis))
    }

    fn stamp(&self, at: &str, by: &str) -> Result<Stamp, StoreError> {
        Ok(Stamp { at: self.time(at)?, by: Actor::new(&self.text(by)?) })
    }
}

impl Columns for AnyRow {
    fn text(&self, column: &str) -> Result<String, StoreError> {
        self.try_get(column).map_err(|_| unreadable(column))
    }

    fn text_if_any(&self, column: &str) -> Result<Option<String>, StoreError> {
        self.try_get(column).map_err(|_| unreadable(column))
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>, StoreError> {
        self.try_get(column).map_err(|_| unreadable(column))
    }

    fn bytes_if_any(&self, column: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.try_get(column).map_err(|_| unreadable(column))
    }

    fn number(&self, column: &str) -> Result<u64, StoreError> {
        self.number_if_any(column)?.ok_or_else(|| unreadable(column))
    }

    fn number_if_any(&self, column: &str) -> Result<Option<u64>, StoreError> {
        let number: Option<i64> = self.try_get(column).map_err(|_| unreadable(column))?;
        number.map(u64::try_from).transpose().map_err(|_| unreadable(column))
    }

    fn flag(&self, column: &str) -> Result<bool, StoreError> {
        match self.number(column)? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(unreadable(column)),
        }
    }
}

fn unreadable(column: &str) -> StoreError {
    StoreError::Unreadable(format!("column {column}"))
}
