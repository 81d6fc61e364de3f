use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use example_support::{Attempts, FormKey, NoRandomness, Password, PasswordError, Secret};
use taa_core::time::Clock;
use tokio::sync::Semaphore;
use url::Url;

use crate::markup::Markup;
use crate::sample;
use crate::session::Sessions;
use crate::source::{IssueSource, IssueSourceDyn};
use crate::user::UserBase;

/// Passwords that are checked at once; each takes a processor and 19 MiB for a while.
const PASSWORDS_AT_ONCE: usize = 2;

/// The wiki: users, pages, sessions, and a way to the tracker.
pub struct Wiki {
    pub(crate) settings: Settings,
    pub(crate) pages: Vec<(Page, Markup)>,
    pub(crate) sessions: Sessions,
    pub(crate) form_key: FormKey,
    pub(crate) source: Arc<dyn IssueSourceDyn>,
    pub(crate) users: Arc<UserBase>,
    /// The user who may administer trust, when there is a console for it.
    pub(crate) administrator: Option<&'static str>,
    passwords: Semaphore,
    attempts: Attempts,
}

/// What became of a password.
pub(crate) enum Checked {
    /// It is right: the user's name in its one spelling.
    Right(String),
    /// Too many have failed lately; this one was not looked at.
    TooMany,
    /// It is wrong, or there is no such user.
    Wrong,
}

/// What the wiki has to be told about itself.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The address browsers use; with `https` cookies are only sent that way.
    pub base: Url,
    /// The tracker's address. Macros and links may name no other server.
    pub tracker: Url,
    /// Whether readers are told when the tracker does not trust this wiki.
    pub trust_warnings: bool,
}

/// One page.
#[derive(Clone, Debug)]
pub struct Page {
    /// What stands in its address.
    pub id: String,
    /// What stands above it.
    pub title: String,
    /// One line about it, for lists.
    pub about: String,
    /// Its text; see [`Markup`].
    pub source: String,
}

impl Wiki {
    /// A wiki with these users and pages.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn new(
        settings: Settings,
        users: UserBase,
        pages: Vec<Page>,
        source: impl IssueSource,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let read = |page: Page| {
            let markup = Markup::parse(&page.source, &settings.tracker);
            (page, markup)
        };
        Ok(Self {
            pages: pages.into_iter().map(read).collect(),
            settings,
            attempts: Attempts::new(Arc::clone(&clock)),
            sessions: Sessions::new(clock),
            administrator: None,
            form_key: FormKey::new(Secret::random()?),
            source: Arc::new(source),
            users: Arc::new(users),
            passwords: Semaphore::new(PASSWORDS_AT_ONCE),
        })
    }

    /// A wiki with the users `admin`, `fred` and `ghost`, each with the name as password, the page `sprint-board` and one
    /// with examples of the macro. For a demonstration only.
    ///
    /// # Errors
    /// When the system gives no random bytes.
    pub fn sample(
        base: Url,
        tracker: Url,
        source: impl IssueSource,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, SetupError> {
        let settings = Settings { base, tracker, trust_warnings: true };
        Self::new(settings, sample::users()?, sample::pages(), source, clock)
    }

    pub(crate) fn page(&self, id: &str) -> Option<&(Page, Markup)> {
        self.pages.iter().find(|(page, _)| page.id == id)
    }

    /// The same with an administrator: the user `admin`, who gets this password in place of the one everybody knows.
    ///
    /// # Errors
    /// As [`Wiki::sample`].
    pub fn sample_with_administrator(
        base: Url,
        tracker: Url,
        source: impl IssueSource,
        clock: Arc<dyn Clock>,
        password: &Password,
    ) -> Result<Self, SetupError> {
        let mut users = sample::users()?;
        users.set_password(sample::ADMINISTRATOR, password)?;
        let settings = Settings { base, tracker, trust_warnings: true };
        let wiki = Self::new(settings, users, sample::pages(), source, clock)?;
        Ok(Self { administrator: Some(sample::ADMINISTRATOR), ..wiki })
    }

    /// Whether the password is right; `from` is where it was typed.
    pub(crate) async fn check_password(
        &self,
        from: Option<IpAddr>,
        name: &str,
        password: Password,
    ) -> Checked {
        if !self.attempts.begin(from, name) {
            return Checked::TooMany;
        }
        // Closed never; but a check that did not happen is no success.
        let Ok(_permit) = self.passwords.acquire().await else { return Checked::Wrong };
        let (users, typed) = (Arc::clone(&self.users), name.to_owned());
        let checked = tokio::task::spawn_blocking(move || users.check(&typed, &password)).await;
        match checked.ok().flatten() {
            Some(user) => {
                self.attempts.succeeded(from, name);
                Checked::Right(user)
            }
            None => Checked::Wrong,
        }
    }

    /// An address as a link, when it is on the tracker.
    pub(crate) fn tracker_link(&self, url: Option<&Url>) -> Option<String> {
        url.filter(|url| url.origin() == self.settings.tracker.origin()).map(Url::to_string)
    }
}

impl fmt::Debug for Wiki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wiki")
            .field("settings", &self.settings)
            .field("users", &self.users)
            .field("sessions", &self.sessions)
            .finish_non_exhaustive()
    }
}

/// Why there is no wiki.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SetupError {
    /// A password could not be kept.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The system gives no random bytes.
    #[error(transparent)]
    Random(#[from] NoRandomness),
}
