//! Trackers that are kept in a store.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use example_support::{Met, Password, Role, peer_address, serve_while, set_up_once};
use taa_client::Signer;
use taa_console::Console;
use taa_core::crypto::AwsLc;
use taa_core::identity::Identity;
use taa_service::refresh::Refresher;
use taa_service::{Keeper, Setup};
use taa_store::Store;
use taa_store::model::Row;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use url::Url;

use super::Options;
use crate::admin::WikiAdmin;
use crate::login::CONSOLE_AT;
use crate::{TrustedTracker, Wiki, router};

/// What a wiki with a store has besides.
#[derive(Debug)]
pub(super) struct Standing {
    keeper: Keeper,
    signer: Signer,
    setup: Setup,
    refresher: Refresher,
}

impl Standing {
    pub(super) fn new(store: Store) -> Result<Self> {
        let provider = Arc::new(AwsLc);
        let keeper = Keeper::new(store.clone(), provider.clone())?;
        let signer = keeper.signer()?;
        let setup = Setup::new(store.clone(), provider.clone())?;
        let refresher = Refresher::new(store, provider)?;
        Ok(Self { keeper, signer, setup, refresher })
    }

    pub(super) fn store(&self) -> &Store {
        self.keeper.store()
    }

    pub(super) fn identity(&self) -> Result<Arc<Identity>> {
        let secrets = self.store().snapshot().secrets.clone().context("the store has no identity")?;
        Ok(secrets.identity)
    }

    pub(super) fn signer(&self) -> Signer {
        self.signer.clone()
    }

    /// Every route, with the console of trust when there is a password for the administrator.
    pub(super) fn router(&self, options: &Options, base_url: &Url) -> Result<Router> {
        let tracker = self.tracker(options)?;
        let refresher = self.refresher.clone();
        let source = TrustedTracker::new(self.signer.clone(), tracker.clone())?
            // Its keys may have changed: look before the next round does.
            .on_keys_unknown(move |server| {
                refresher.nudge(server);
            });
        let clock = Arc::clone(self.store().clock());
        let certificate = self.keeper.certificate_layer();
        let Some(file) = &options.admin_password_file else {
            let wiki = Wiki::sample(base_url.clone(), tracker, source, clock)?;
            return Ok(router(Arc::new(wiki)).layer(certificate));
        };
        let password =
            Password::read(file).with_context(|| format!("the password file {}", file.display()))?;
        let wiki = Wiki::sample_with_administrator(base_url.clone(), tracker, source, clock, &password)?;
        let wiki = Arc::new(wiki);
        let keeper = self.keeper.clone();
        let console = Console::builder(
            self.store().clone(),
            self.setup.clone(),
            self.refresher.clone(),
            WikiAdmin(Arc::clone(&wiki)),
        )
        .service("Wiki", "/")
        .peer_address(peer_address)
        .problems(move || keeper.problems().iter().map(ToString::to_string).collect())
        .build()?;
        Ok(router(wiki).nest(CONSOLE_AT, console.router()).layer(certificate))
    }

    /// The tracker whose issues pages show: the first of the options, or of the store.
    fn tracker(&self, options: &Options) -> Result<Url> {
        let snapshot = self.store().snapshot();
        let kept = || snapshot.servers.iter().find_map(Row::good).map(|server| server.base_url.clone());
        options.server.first().cloned().or_else(kept).context("the store knows no tracker yet: give --server")
    }

    /// Serves, follows the store, refreshes certificates, and takes the trackers of `--server` that are not there yet.
    pub(super) async fn serve(
        self,
        options: &Options,
        listener: TcpListener,
        router: Router,
        announce: impl Fn(&Url, &Met),
    ) -> Result<()> {
        let Self { keeper, setup, refresher, .. } = self;
        // However this ends, dropped or stopped, the keeper then writes what is left to write.
        let (serving, ended) = oneshot::channel::<()>();
        let keeping = tokio::spawn(keeper.run_until(async { drop(ended.await) }));
        let refreshing = async {
            refresher.run().await;
            Ok(())
        };
        let meanwhile = async { tokio::try_join!(refreshing, call_all(options, &setup, announce)).map(drop) };
        let served = serve_while(listener, router, meanwhile).await;
        drop(serving);
        keeping.await?;
        setup.store().close().await;
        served
    }
}

async fn call_all(options: &Options, setup: &Setup, announce: impl Fn(&Url, &Met)) -> Result<()> {
    for wanted in options.wanted() {
        if let Some(met) = set_up_once(setup, &wanted, &Role::Called).await? {
            announce(&wanted.base_url, &met);
        }
    }
    Ok(())
}
