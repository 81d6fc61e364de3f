use std::sync::Arc;

use taa_client::{BuildError, ServerRecord, Signer};
use taa_core::crypto::CryptoProvider;
use taa_core::directory::{Application, Directory};
use taa_core::id::AppId;
use taa_core::identity::Identity;
use taa_core::legacy::{CertificatePage, LegacySigningKey, Version};
use taa_core::policy::{GreatestTimeout, Protocol};
use taa_core::time::Clock;
use taa_server::{CertificateLayer, Trust, TrustError, UserResolver};
use taa_store::model::{Row, Secrets, Snapshot};

use super::problem::{KeeperError, Problem};
use super::record::server_record;

/// What decides and signs in this process, and the snapshot that it goes by.
pub(super) struct InForce {
    snapshot: Arc<Snapshot>,
    secrets: Secrets,
    served: Option<Arc<dyn Served>>,
    certificate: CertificateLayer,
    signer: Option<Signer>,
    problems: Vec<Problem>,
}

/// A [`Trust`], whatever its user base.
pub(super) trait Served: Send + Sync {
    fn directory(&self) -> Arc<Directory>;
    fn replace_directory(&self, directory: Directory);
    fn replace_identity(&self, identity: Arc<Identity>) -> Result<(), TrustError>;
    fn end_sessions(&self, application: &AppId);
    fn renew_lease(&self);
    fn lease_is_over(&self) -> bool;
    fn greatest_timeout(&self) -> GreatestTimeout;
    fn nonces_are_shared(&self) -> bool;
}

impl<R: UserResolver> Served for Trust<R> {
    fn directory(&self) -> Arc<Directory> {
        Trust::directory(self)
    }
    fn replace_directory(&self, directory: Directory) {
        Trust::replace_directory(self, directory);
    }
    fn replace_identity(&self, identity: Arc<Identity>) -> Result<(), TrustError> {
        Trust::replace_identity(self, identity)
    }
    fn end_sessions(&self, application: &AppId) {
        Trust::end_sessions(self, application);
    }
    fn renew_lease(&self) {
        Trust::renew_lease(self);
    }
    fn lease_is_over(&self) -> bool {
        Trust::lease_is_over(self)
    }
    fn greatest_timeout(&self) -> GreatestTimeout {
        Trust::greatest_timeout(self)
    }
    fn nonces_are_shared(&self) -> bool {
        Trust::nonces_are_shared(self)
    }
}

impl InForce {
    /// None when there is no identity yet.
    pub(super) fn new(snapshot: Arc<Snapshot>) -> Option<Self> {
        let secrets = snapshot.secrets.clone()?;
        let certificate = CertificateLayer::new(&secrets.identity);
        let in_force =
            Self { snapshot, secrets, served: None, certificate, signer: None, problems: Vec::new() };
        in_force.put_pages();
        Some(in_force)
    }

    pub(super) fn identity(&self) -> Arc<Identity> {
        Arc::clone(&self.secrets.identity)
    }

    pub(super) fn certificate_layer(&self) -> CertificateLayer {
        self.certificate.clone()
    }

    /// Whether nonces are shared; none when this process answers no requests.
    pub(super) fn nonces_are_shared(&self) -> Option<bool> {
        self.served.as_ref().map(|served| served.nonces_are_shared())
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        let unreached = self.served.as_ref().is_some_and(|served| served.lease_is_over());
        let unreached = unreached.then_some(Problem::StoreUnreached);
        // The store has logged it.
        let set_back = self.snapshot.set_back.map(|at| Problem::StoreSetBack { at });
        self.problems.iter().cloned().chain(set_back).chain(unreached).collect()
    }

    /// Keeps this one in step from now on.
    pub(super) fn serve(
        &mut self,
        served: Arc<dyn Served>,
        provider: &dyn CryptoProvider,
    ) -> Result<(), KeeperError> {
        if self.served.is_some() {
            return Err(KeeperError::TrustMade);
        }
        // Something may have changed since it was built.
        served.replace_identity(self.identity())?;
        self.served = Some(served);
        let snapshot = Arc::clone(&self.snapshot);
        let mut problems = Vec::new();
        self.put_applications(&snapshot, &snapshot, provider, &mut problems);
        self.note(problems);
        Ok(())
    }

    pub(super) fn signer(
        &mut self,
        provider: &Arc<dyn CryptoProvider>,
        clock: Arc<dyn Clock>,
        on_signed: impl Fn(&AppId) + Send + Sync + 'static,
    ) -> Result<Signer, BuildError> {
        if let Some(signer) = &self.signer {
            return Ok(signer.clone());
        }
        let builder =
            Signer::builder(self.identity()).provider(Arc::clone(provider)).clock(clock).on_signed(on_signed);
        let builder = match &self.secrets.legacy {
            Some(key) => builder.legacy_key(Arc::clone(key)),
            None => builder,
        };
        let signer = builder.build()?;
        self.signer = Some(signer.clone());
        let snapshot = Arc::clone(&self.snapshot);
        let mut problems = Vec::new();
        self.put_servers(&snapshot, &mut problems);
        self.note(problems);
        Ok(signer)
    }

    /// The database has confirmed this snapshot, or changed to it.
    pub(super) fn confirm(&mut self, snapshot: &Arc<Snapshot>, provider: &dyn CryptoProvider) {
        // With other times of use alone nothing is decided otherwise.
        if !snapshot.decides_as(&self.snapshot) {
            let before = std::mem::replace(&mut self.snapshot, Arc::clone(snapshot));
            let mut problems = Vec::new();
            self.put_identity(snapshot, &mut problems);
            self.put_applications(&before, snapshot, provider, &mut problems);
            self.put_servers(snapshot, &mut problems);
            let known = std::mem::take(&mut self.problems);
            self.problems = problems.iter().filter(|problem| known.contains(problem)).cloned().collect();
            self.note(problems);
        }
        // After the change is in force, not before.
        if let Some(served) = &self.served {
            served.renew_lease();
        }
    }

    /// Logs what was not known before.
    fn note(&mut self, problems: Vec<Problem>) {
        for problem in problems {
            if !self.problems.contains(&problem) {
                tracing::error!(target: "taa", "{problem}");
                self.problems.push(problem);
            }
        }
    }

    /// The own keys, where they have changed.
    fn put_identity(&mut self, snapshot: &Snapshot, problems: &mut Vec<Problem>) {
        let Some(secrets) = &snapshot.secrets else { return };
        let same = Arc::ptr_eq(&secrets.identity, &self.secrets.identity);
        let same_legacy = match (&secrets.legacy, &self.secrets.legacy) {
            (Some(now), Some(before)) => Arc::ptr_eq(now, before),
            (None, None) => true,
            _ => false,
        };
        if same && same_legacy {
            return;
        }
        if let Err(why) = self.replace_identity(secrets) {
            problems.push(Problem::Identity(why));
            return;
        }
        self.secrets = secrets.clone();
        self.put_pages();
    }

    fn put_pages(&self) {
        if let Some(own) = &self.snapshot.own {
            self.certificate.replace_certificate(&own.certificate);
        }
        self.certificate.replace_legacy_page(legacy_page(&self.secrets));
    }

    fn replace_identity(&self, secrets: &Secrets) -> Result<(), String> {
        if let Some(served) = &self.served {
            served.replace_identity(Arc::clone(&secrets.identity)).map_err(|error| error.to_string())?;
        }
        if let Some(signer) = &self.signer {
            replace_keys(signer, secrets).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whom this server trusts.
    fn put_applications(
        &self,
        before: &Snapshot,
        snapshot: &Snapshot,
        provider: &dyn CryptoProvider,
        problems: &mut Vec<Problem>,
    ) {
        let Some(served) = &self.served else { return };
        let (directory, left_out) = snapshot.directory(provider, served.greatest_timeout());
        problems.extend(left_out.into_iter().map(|(id, why)| Problem::ApplicationLeftOut { id, why }));
        let replaced = served.directory();
        for now in directory.applications() {
            // Version 4 was seen, and that is not in the store yet. A person lowers it by setting another lowest version.
            let lowest = |snapshot: &Snapshot| {
                snapshot.application(now.id().as_str()).map(|held| held.rules.min_protocol)
            };
            let seen = |held: &Arc<Application>| held.ratchet().floor() == Protocol::V4;
            if lowest(before) == lowest(snapshot) && replaced.application(now.id().as_str()).is_some_and(seen)
            {
                now.ratchet().observe(Protocol::V4);
            }
        }
        let ended: Vec<_> = replaced
            .applications()
            .filter(|held| lost_something(held, directory.application(held.id().as_str())))
            .map(|held| held.id().clone())
            .collect();
        served.replace_directory(directory);
        for id in ended {
            served.end_sessions(&id);
        }
    }

    /// Whom this application calls. A server that has not changed keeps its session.
    fn put_servers(&self, snapshot: &Snapshot, problems: &mut Vec<Problem>) {
        let Some(signer) = &self.signer else { return };
        let mut left_out = |id: &str, why: String| {
            problems.push(Problem::ServerLeftOut { id: id.to_owned(), why });
        };
        let mut wanted: Vec<ServerRecord> = Vec::new();
        for row in &snapshot.servers {
            match row {
                Row::Good(server) if !server.enabled => {}
                Row::Good(server) => match server_record(server) {
                    Ok(record) => wanted.push(record),
                    Err(why) => left_out(server.id.as_str(), why),
                },
                Row::Broken { id, problem, .. } => left_out(id, problem.clone()),
            }
        }
        let held = signer.servers();
        let held_as = |id: &AppId| held.iter().find(|record| record.id() == id);
        for record in &held {
            // One that moves makes room for another that may move to its place.
            let stays = wanted
                .iter()
                .any(|wanted| wanted.id() == record.id() && wanted.base_url() == record.base_url());
            if !stays {
                signer.remove_server(record.id());
            }
        }
        for record in wanted {
            if held_as(record.id()) == Some(&record) {
                continue;
            }
            let id = record.id().clone();
            if let Err(error) = signer.replace_server(record) {
                signer.remove_server(&id);
                left_out(id.as_str(), error.to_string());
            }
        }
    }
}

/// The key of the older versions can be taken away only when no server needs it; those that do are left out then.
fn replace_keys(signer: &Signer, secrets: &Secrets) -> Result<(), BuildError> {
    signer.replace_identity(Arc::clone(&secrets.identity))?;
    if secrets.legacy.is_none() {
        for record in signer.servers().iter().filter(|record| record.protocol().is_legacy()) {
            signer.remove_server(record.id());
        }
    }
    signer.replace_legacy_key(secrets.legacy.clone())
}

fn legacy_page(secrets: &Secrets) -> Option<bytes::Bytes> {
    let page = |key: &Arc<LegacySigningKey>| {
        CertificatePage::write(secrets.identity.id(), key.verifying_key(), Version::V3)
    };
    secrets.legacy.as_ref().map(|key| page(key).into())
}

/// Whether an application may do less than before, so that its sessions must end: it is gone, switched off, or has lost a
/// key. (Each request looks its application and keys up anyway; the sessions hold secrets.)
fn lost_something(held: &Application, now: Option<&Arc<Application>>) -> bool {
    let Some(now) = now.filter(|now| now.is_enabled()) else { return held.is_enabled() };
    held.keys().iter().any(|key| !now.keys().iter().any(|kept| kept.key().id() == key.key().id()))
}
