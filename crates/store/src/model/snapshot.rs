use taa_core::crypto::CryptoProvider;
use taa_core::directory::Directory;
use taa_core::id::AppId;
use taa_core::policy::{GreatestTimeout, NamePattern, NeverAs};
use taa_core::time::UnixMillis;

use super::{OwnIdentity, Row, Secrets, Stamp, TrustedApplication, TrustingServer};

/// Everything that decides, as of one generation. It never changes.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// Goes up with every change.
    pub generation: u64,
    /// The hash of the last row of the audit trail; empty before the first. Two states of a store that was put back in
    /// between may have the same generation, never the same trail.
    pub trail: String,
    /// When this process last noticed that an older copy of the database, or another one, had been put in its place: what was
    /// changed since that copy was made is lost.
    pub set_back: Option<UnixMillis>,
    /// Who this application is; none before `init`.
    pub own: Option<OwnIdentity>,
    /// Its private keys; none before `init`.
    pub secrets: Option<Secrets>,
    /// Whom it trusts, by name.
    pub applications: Vec<Row<TrustedApplication>>,
    /// Whom it calls, by name.
    pub servers: Vec<Row<TrustingServer>>,
    /// Users whom no application may name any more.
    pub revoked_users: Vec<RevokedUser>,
}

/// A user whom no application may name any more, or a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RevokedUser {
    /// Name or pattern.
    pub pattern: NamePattern,
    /// When and by whom.
    pub revoked: Stamp,
}

impl Snapshot {
    /// What is there before anything was read.
    pub(crate) const fn empty() -> Self {
        Self {
            generation: 0,
            trail: String::new(),
            set_back: None,
            own: None,
            secrets: None,
            applications: Vec::new(),
            servers: Vec::new(),
            revoked_users: Vec::new(),
        }
    }

    /// Whether both say the same but for when what was used or refreshed.
    #[must_use]
    pub fn decides_as(&self, other: &Self) -> bool {
        self.generation == other.generation && self.trail == other.trail
    }

    /// The application with this id, if its record can be used.
    #[must_use]
    pub fn application(&self, id: &str) -> Option<&TrustedApplication> {
        self.applications.iter().filter_map(Row::good).find(|application| application.id.as_str() == id)
    }

    /// The server with this id, if its record can be used.
    #[must_use]
    pub fn server(&self, id: &str) -> Option<&TrustingServer> {
        self.servers.iter().filter_map(Row::good).find(|server| server.id.as_str() == id)
    }

    /// Whom a server trusts, and the applications that are left out because their records cannot be used, each with a
    /// sentence that says why. Those count as unknown.
    #[must_use]
    pub fn directory(
        &self,
        provider: &dyn CryptoProvider,
        greatest: GreatestTimeout,
    ) -> (Directory, Vec<(AppId, String)>) {
        let (mut applications, mut left_out) = (Vec::new(), Vec::new());
        for row in &self.applications {
            match row {
                Row::Good(record) => match record.application(provider, greatest) {
                    Ok(application) => applications.push(application),
                    Err(error) => left_out.push((record.id.clone(), error.to_string())),
                },
                Row::Broken { id, problem, .. } => {
                    // An id that is none cannot be asked for.
                    left_out.extend(AppId::parse(id).ok().map(|id| (id, problem.clone())));
                }
            }
        }
        let ids: Vec<_> = applications.iter().map(|application| application.id().clone()).collect();
        let directory = Directory::new(applications).unwrap_or_else(|error| {
            // A key in two places makes broken rows, so this does not happen; if it did, nobody would be trusted.
            left_out.extend(ids.into_iter().map(|id| (id, error.to_string())));
            Directory::default()
        });
        let revoked: Vec<_> = self.revoked_users.iter().map(|user| user.pattern.clone()).collect();
        (directory.with_revoked_users(NeverAs::from(revoked)), left_out)
    }
}
