//! Trust that is kept in a store.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use example_support::{Met, Password, Role, peer_address, serve_while, set_up_once};
use taa_console::{Console, FormKey};
use taa_core::crypto::AwsLc;
use taa_core::policy::{MethodRules, NeverAs, PathRules, Protocol};
use taa_server::resolver::NameTransform;
use taa_server::{CertificateLayer, Trust};
use taa_service::refresh::Refresher;
use taa_service::{Keeper, Setup};
use taa_store::Store;
use taa_store::model::RulesText;
use taa_store::redis::RedisOptions;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use url::Url;

use super::Options;
use crate::admin::{AdminLogin, CONSOLE_AT, HOME_AT};
use crate::{Tracker, Users};

/// What a tracker with a store has besides.
#[derive(Debug)]
pub(super) struct Standing {
    keeper: Keeper,
    setup: Setup,
    refresher: Refresher,
}

impl Standing {
    pub(super) async fn new(
        options: &Options,
        store: Store,
        tracker: &Tracker,
    ) -> Result<(Self, Trust<Users>)> {
        let provider = Arc::new(AwsLc);
        let keeper = Keeper::new(store.clone(), provider.clone())?;
        if let Some(url) = &options.nonces {
            keeper.redis_nonces(url.reveal(), RedisOptions::default()).await?;
        }
        let proxies = options.trusted_proxies()?;
        let trust = keeper.trust(Users::of(tracker), |builder| options.configure(builder, proxies)).await?;
        let setup = Setup::new(store.clone(), provider.clone())?
            .suggested_paths(PathRules::parse_list(&options.path.join("\n"))?)
            .suggested_methods(MethodRules::parse_list(&options.method.join("\n"))?)
            .suggested_never_as(NeverAs::parse_list(&options.never_as.join("\n"))?);
        let refresher = Refresher::new(store, provider)?;
        Ok((Self { keeper, setup, refresher }, trust))
    }

    pub(super) fn store(&self) -> &Store {
        self.keeper.store()
    }

    pub(super) fn certificate_layer(&self) -> CertificateLayer {
        self.keeper.certificate_layer()
    }

    /// The administrator's pages; none without a password for them.
    pub(super) fn console(&self, options: &Options, base_url: &Url, tracker: &Tracker) -> Result<Router> {
        let Some(file) = &options.admin_password_file else { return Ok(Router::new()) };
        let store = self.store();
        let own = store.snapshot().own.clone().context("the store has no identity")?;
        let admin = AdminLogin::new(
            &Password::read(file).with_context(|| format!("the password file {}", file.display()))?,
            &own.certificate.content().iss,
            base_url,
            options.trusted_proxies()?,
            Arc::clone(store.clock()),
        )?;
        let keeper = self.keeper.clone();
        let console =
            Console::builder(store.clone(), self.setup.clone(), self.refresher.clone(), admin.clone())
                .service("Tracker", HOME_AT)
                .form_key(FormKey::new(*admin.console_key().as_bytes()))
                .users(Users::of(tracker), NameTransform::default())
                .trusted_proxies(options.trusted_proxies()?)
                .peer_address(peer_address)
                .older_versions_are_accepted(options.identity.protocol < Protocol::V4)
                .problems(move || keeper.problems().iter().map(ToString::to_string).collect())
                .build()?;
        Ok(admin.router().nest(CONSOLE_AT, console.router()))
    }

    /// Serves, follows the store, refreshes certificates, and trusts the applications of `--trust` that are not there
    /// yet.
    pub(super) async fn serve(
        self,
        options: &Options,
        listener: TcpListener,
        router: Router,
        announce: impl Fn(&Url, &Met),
    ) -> Result<()> {
        let Self { keeper, setup, refresher } = self;
        // However this ends, dropped or stopped, the keeper then writes what is left to write.
        let (serving, ended) = oneshot::channel::<()>();
        let keeping = tokio::spawn(keeper.run_until(async { drop(ended.await) }));
        let refreshing = async {
            refresher.run().await;
            Ok(())
        };
        let meanwhile =
            async { tokio::try_join!(refreshing, trust_all(options, &setup, announce)).map(drop) };
        let served = serve_while(listener, router, meanwhile).await;
        drop(serving);
        keeping.await?;
        setup.store().close().await;
        served
    }
}

async fn trust_all(options: &Options, setup: &Setup, announce: impl Fn(&Url, &Met)) -> Result<()> {
    let rules = |suggested| rules(options, suggested);
    for wanted in options.wanted() {
        if let Some(met) = set_up_once(setup, &wanted, &Role::Trusted(&rules)).await? {
            announce(&wanted.base_url, &met);
        }
    }
    Ok(())
}

/// What the options say about an application that is added; paths, methods and users are suggested out of them already.
fn rules(options: &Options, suggested: RulesText) -> RulesText {
    let addresses: Vec<String> = options.address.iter().map(ToString::to_string).collect();
    RulesText {
        addresses: if addresses.is_empty() { suggested.addresses } else { addresses.join("\n") },
        timeout: options.timeout.saturating_mul(1000).to_string(),
        min_protocol: options.identity.protocol.to_string(),
        ..suggested
    }
}
