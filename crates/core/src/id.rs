//! Names that are checked once: application ids, user names, key ids.

mod app_id;
mod key_id;
mod user_name;

pub use app_id::{AppId, AppIdError};
pub use key_id::{KeyId, KeyIdError, ShortKeyId};
pub use user_name::{UserName, UserNameError};
