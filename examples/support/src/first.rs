use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result};
use taa_core::id::AppId;
use taa_core::policy::Protocol;
use taa_service::{FetchWhat, Fetched, OutgoingText, SaveError, SaveWhat, Setup, SetupError};
use taa_store::Store;
use taa_store::model::{Action, AuditFilter, Row, RulesText, Snapshot};
use url::Url;

use crate::peer::{Met, Wanted};
use crate::store::by_options;

/// What a peer is to this application.
#[derive(Clone, Copy)]
pub enum Role<'r> {
    /// It is trusted. Its rules are made out of those that are suggested for it.
    Trusted(&'r (dyn Fn(RulesText) -> RulesText + Sync)),
    /// It is called.
    Called,
}

/// Sets trust up with the application at a base URL, once: what is there already stays as it is, and what somebody
/// removed does not come back with the next start. While the application cannot be reached, tries again every second.
///
/// # Errors
/// When what comes is no certificate, or the store fails: waiting mends neither.
pub async fn set_up_once(setup: &Setup, wanted: &Wanted, role: &Role<'_>) -> Result<Option<Met>> {
    if let Some(peer) = role.held_at(&setup.store().snapshot(), &wanted.base_url) {
        return Ok(Some(peer));
    }
    let fetched = fetch(setup, wanted).await?;
    let id = fetched.pending.app_id().clone();
    let snapshot = setup.store().poll().await?;
    let known = role.held(&snapshot, &id);
    if known.is_some() || was_removed(setup.store(), &id, role).await? {
        if known.is_none() {
            tracing::warn!(target: "taa", "{id} at {} was removed, and stays so", wanted.base_url);
        }
        setup.give_up(&fetched.pending.id).await?;
        return Ok(known);
    }
    let fingerprint = fetched.pending.fingerprint();
    let what = match role {
        Role::Trusted(rules) => SaveWhat { incoming: Some(rules(fetched.suggested)), outgoing: None },
        Role::Called => SaveWhat { incoming: None, outgoing: Some(OutgoingText::default()) },
    };
    // In life a person compares the fingerprint; here it is printed, for who wants to.
    match setup.save(&fetched.pending.id, &fingerprint, &what, &by_options()).await {
        Ok(_) => {}
        // Another node was quicker.
        Err(SaveError::Setup(SetupError::Store(taa_store::StoreError::AlreadyThere(_)))) => {}
        Err(error) => return Err(error).with_context(|| format!("cannot take {id} at {}", wanted.base_url)),
    }
    Ok(Some(Met::new(&id, fingerprint)))
}

async fn fetch(setup: &Setup, wanted: &Wanted) -> Result<Fetched> {
    let what = FetchWhat {
        base_url: wanted.base_url.to_string(),
        insecure_allow_http: wanted.insecure_allow_http,
        older_versions: wanted.protocol < Protocol::V4,
    };
    let mut waiting = false;
    loop {
        match setup.fetch(&what, &by_options()).await {
            Ok(fetched) => return Ok(fetched),
            Err(SetupError::Fetch(error)) if error.may_pass() => {
                if !waiting {
                    tracing::warn!(target: "taa", "{} is not up yet, waiting for it", wanted.base_url);
                }
                waiting = true;
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("cannot take the certificate of {}", wanted.base_url));
            }
        }
    }
}

/// Whether somebody removed it, whom no option on the command line overrules.
async fn was_removed(store: &Store, id: &AppId, role: &Role<'_>) -> Result<bool> {
    let action = match role {
        Role::Trusted(_) => Action::ApplicationRemoved,
        Role::Called => Action::ServerRemoved,
    };
    let filter = AuditFilter {
        action: Some(action),
        subject: Some(id.to_string()),
        limit: 1,
        ..AuditFilter::default()
    };
    Ok(!store.audit(&filter).await?.is_empty())
}

impl Role<'_> {
    /// The peer with this id, if it has this role already.
    fn held(&self, snapshot: &Snapshot, id: &AppId) -> Option<Met> {
        self.all(snapshot).into_iter().map(|(_, peer)| peer).find(|peer| peer.id() == id)
    }

    /// The peer that lives there, if it has this role already.
    fn held_at(&self, snapshot: &Snapshot, base_url: &Url) -> Option<Met> {
        self.all(snapshot).into_iter().find(|(place, _)| *place == base_url).map(|(_, peer)| peer)
    }

    fn all<'s>(&self, snapshot: &'s Snapshot) -> Vec<(&'s Url, Met)> {
        match self {
            Self::Trusted(_) => {
                let known = snapshot.applications.iter().filter_map(Row::good);
                let peer = |known: &taa_store::model::TrustedApplication| {
                    let certificate =
                        known.keys.certificate.as_ref().map(|held| held.fingerprint().to_string());
                    let legacy = || Some(known.keys.legacy.as_ref()?.0.thumbprint().to_string());
                    Met::new(&known.id, certificate.or_else(legacy).unwrap_or_default())
                };
                known.map(|known| (&known.base_url, peer(known))).collect()
            }
            Self::Called => {
                let known = snapshot.servers.iter().filter_map(Row::good);
                let peer = |known: &taa_store::model::TrustingServer| {
                    let print = known.certificate.as_ref().map(|held| held.fingerprint().to_string());
                    // A server of the older versions proves nothing, so there is nothing to compare.
                    Met::new(&known.id, print.unwrap_or_default())
                };
                known.map(|known| (&known.base_url, peer(known))).collect()
            }
        }
    }
}

impl fmt::Debug for Role<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Trusted(_) => "Trusted(..)",
            Self::Called => "Called",
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::Router;
    use taa_core::crypto::AwsLc;
    use taa_server::CertificateLayer;
    use tokio::net::TcpListener;

    use super::*;
    use crate::identity::IdentityArgs;
    use crate::store::{Kept, StoreArgs};

    async fn kept(dir: &tempfile::TempDir, id: &str) -> Kept {
        let url = format!("sqlite:{}", dir.path().join(id).display()).parse().unwrap();
        let store = StoreArgs { store: Some(url), ..StoreArgs::default() };
        let args = IdentityArgs { id: None, key_dir: None, protocol: Protocol::V4, base_url: None };
        Kept::open("127.0.0.1:0", &args, &store, id, "Some application").await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn once_and_not_again_what_somebody_removed() {
        let dir = tempfile::tempdir().unwrap();
        let (own, peer) = (kept(&dir, "own").await, kept(&dir, "peer").await);
        let identity = peer.store.snapshot().secrets.clone().unwrap().identity;
        let router: Router = Router::new().layer(CertificateLayer::new(&identity));
        let serving = tokio::spawn(async move { axum::serve(peer.listener, router).await });
        let setup = Setup::new(own.store.clone(), Arc::new(AwsLc)).unwrap();
        let wanted = |base_url: &Url| Wanted {
            base_url: base_url.clone(),
            protocol: Protocol::V4,
            insecure_allow_http: false,
        };
        let rules = |suggested: RulesText| RulesText { paths: "/only".into(), ..suggested };
        let trusted = Role::Trusted(&rules);
        for role in [&trusted, &Role::Called, &trusted, &Role::Called] {
            let met = set_up_once(&setup, &wanted(&peer.base_url), role).await.unwrap().unwrap();
            assert_eq!((met.id().as_str(), met.fingerprint()), ("peer", peer.fingerprint.clone()));
        }
        let snapshot = own.store.snapshot();
        assert_eq!(snapshot.application("peer").unwrap().rules.paths.rules()[0].to_string(), "/only");
        assert_eq!((snapshot.applications.len(), snapshot.servers.len()), (1, 1));

        own.store.remove_application("peer", &by_options()).await.unwrap();
        assert!(set_up_once(&setup, &wanted(&peer.base_url), &trusted).await.unwrap().is_none());
        assert!(own.store.snapshot().applications.is_empty());

        // It waits for who is not there yet, and not for who says something else.
        serving.abort();
        let login = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", login.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move { axum::serve(login, Router::<()>::new()).await });
        assert!(set_up_once(&setup, &wanted(&url), &trusted).await.is_err());
    }
}
