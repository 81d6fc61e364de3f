//! One process of a service, kept in step with the store.

mod durable;
mod in_force;
mod node;
mod options;
mod problem;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod set_back;
mod uses;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use taa_client::Signer;
use taa_core::crypto::CryptoProvider;
use taa_core::directory::Directory;
use taa_server::nonce::Nonces;
use taa_server::{CertificateLayer, Trust, TrustBuilder, UserResolver};
use taa_store::model::Actor;
use taa_store::{Store, StoreError};

use self::durable::StoreDurable;
use self::in_force::InForce;
use self::node::ThisNode;
use self::set_back::{SetBack, lost_marks};
use self::uses::Uses;

pub use self::options::KeeperOptions;
pub use self::problem::{KeeperError, Problem};

/// Joins a [`Store`] with what decides and signs in this process: a [`Trust`], a [`CertificateLayer`], a [`Signer`].
///
/// They are made from the store, and whatever is changed there is in force for the next request: trust given, changed and
/// taken away, keys and users revoked, own keys rotated, servers added. What requests leave behind goes to the store: the
/// marks of the restart fence, the floor of versions, when what was used.
///
/// ```no_run
/// # use std::sync::Arc;
/// # use taa_core::crypto::AwsLc;
/// # use taa_server::resolver::StaticUsers;
/// # use taa_store::{OpenOptions, Store};
/// # async fn service() -> Result<(), Box<dyn std::error::Error>> {
/// use taa_service::Keeper;
///
/// let store = Store::open(OpenOptions::new("sqlite:trust.db".parse()?, Arc::new(AwsLc))).await?;
/// let keeper = Keeper::new(store, Arc::new(AwsLc))?;
/// let trust = keeper.trust(StaticUsers::new(["fred"]), |builder| builder).await?;
/// let certificate = keeper.certificate_layer();
/// let signer = keeper.signer()?;
/// tokio::spawn(keeper.run());
/// # let _ = (trust, certificate, signer);
/// # Ok(())
/// # }
/// ```
///
/// # Without `run`
///
/// [`run`](Self::run) follows the store. A process in which it does not run cannot know what was revoked; after the lease
/// (5 s by default) it refuses every trusted request with `SYSTEM`.
#[derive(Clone)]
pub struct Keeper(Arc<Inner>);

struct Inner {
    store: Store,
    provider: Arc<dyn CryptoProvider>,
    options: KeeperOptions,
    in_force: Mutex<InForce>,
    uses: Arc<Uses>,
    this_node: ThisNode,
    set_back: SetBack,
    #[cfg(feature = "redis")]
    redis: Mutex<Option<redis::Remembered>>,
}

/// How often this node says that it is there.
const BEAT: Duration = Duration::from_secs(3);
/// How often it is written what was used.
const FLUSH: Duration = Duration::from_secs(60);
/// How often keys that have ended are deleted.
const PRUNE: Duration = Duration::from_secs(3600);

impl Keeper {
    /// For a store in which this application has an identity.
    ///
    /// # Errors
    /// [`StoreError::NoIdentity`] when it has none yet.
    pub fn new(store: Store, provider: Arc<dyn CryptoProvider>) -> Result<Self, KeeperError> {
        Self::with_options(store, provider, KeeperOptions::default())
    }

    /// As [`new`](Self::new), with other times than the usual ones.
    ///
    /// # Errors
    /// [`StoreError::NoIdentity`] when there is no identity yet.
    pub fn with_options(
        store: Store,
        provider: Arc<dyn CryptoProvider>,
        options: KeeperOptions,
    ) -> Result<Self, KeeperError> {
        let in_force = InForce::new(store.snapshot()).ok_or(StoreError::NoIdentity)?;
        let this_node = ThisNode::new(&store, options.label.as_deref())?;
        let inner = Arc::new(Inner {
            store,
            provider,
            options,
            in_force: Mutex::new(in_force),
            uses: Arc::default(),
            this_node,
            set_back: SetBack::default(),
            #[cfg(feature = "redis")]
            redis: Mutex::new(None),
        });
        // Weak: the store does not keep its keeper.
        let observer = Arc::downgrade(&inner);
        inner.store.observe(move |snapshot| {
            if let Some(inner) = observer.upgrade() {
                inner.in_force().confirm(snapshot, &*inner.provider);
            }
        });
        Ok(Self(inner))
    }

    /// The server's side: who this application is and whom it trusts, from the store. `configure` adds what the store does
    /// not know, such as proxies and where the address of the socket stands. One keeper makes one; clone it.
    ///
    /// The marks of the fence are read now, so the process before this one must have stopped accepting requests.
    ///
    /// # Errors
    /// When the store fails, the configuration cannot be safe, or there is one already.
    pub async fn trust<R: UserResolver>(
        &self,
        users: R,
        configure: impl FnOnce(TrustBuilder<R>) -> TrustBuilder<R>,
    ) -> Result<Trust<R>, KeeperError> {
        let Inner { store, options, .. } = &*self.0;
        let shared = self.shared_nonces();
        let mut marks = store.marks().await?;
        if shared.is_none() && store.nonce_epoch().await?.is_some_and(|epoch| !epoch.is_empty()) {
            // No mark tells of what was accepted while they were shared.
            marks.extend(lost_marks(store.clock().wall().map_err(|_| StoreError::Time)?));
        }
        let durable = StoreDurable::new(store.clone(), Arc::clone(&self.0.uses));
        let identity = self.0.in_force().identity();
        let builder = Trust::builder(identity, Directory::default(), users)
            .clock(Arc::clone(store.clock()))
            .durable(Arc::new(durable), marks)
            .lease(options.lease);
        let builder = match shared {
            Some(nonces) => builder.shared_nonces(nonces),
            None => builder,
        };
        let trust = configure(builder).build()?;
        self.0.in_force().serve(Arc::new(trust.clone()), &*self.0.provider)?;
        Ok(trust)
    }

    /// Serves this application's certificate, and the page of the older versions while there is a key for them.
    pub fn certificate_layer(&self) -> CertificateLayer {
        self.0.in_force().certificate_layer()
    }

    /// The client's side: signs for the servers in the store. It is the same one each time.
    ///
    /// # Errors
    /// When the own keys cannot be used. A server that cannot be used is left out: see [`problems`](Self::problems).
    pub fn signer(&self) -> Result<Signer, KeeperError> {
        let (store, uses) = (self.0.store.clone(), Arc::clone(&self.0.uses));
        let clock = Arc::clone(store.clock());
        let on_signed = move |server: &taa_core::id::AppId| {
            if let Ok(now) = store.clock().wall() {
                uses.note(server, None, now);
            }
        };
        Ok(self.0.in_force().signer(&self.0.provider, clock, on_signed)?)
    }

    /// What is not as it should be in this process, for the person who runs it. Each was logged when it began.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.0.in_force().problems();
        problems.extend(self.0.this_node.problems());
        problems
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// Follows the store for ever, notes once a minute what was used, says that this node is there, and deletes keys that
    /// have ended. Spawn it once.
    pub fn run(&self) -> impl Future<Output = ()> + Send + 'static {
        let inner = Arc::clone(&self.0);
        async move { inner.run().await }
    }

    /// As [`run`](Self::run), until `stop` ends: then what was used is written, and this node says that it goes.
    pub fn run_until(
        &self,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> impl Future<Output = ()> + Send + 'static {
        let inner = Arc::clone(&self.0);
        async move {
            tokio::select! {
                () = inner.run() => {}
                () = stop => {}
            }
            inner.flush().await;
            if inner.in_force().nonces_are_shared().is_some() {
                inner.this_node.leave(&inner.store).await;
            }
        }
    }

    #[cfg(feature = "redis")]
    fn shared_nonces(&self) -> Option<Nonces> {
        self.0.redis().as_ref().map(redis::Remembered::nonces)
    }

    #[cfg(not(feature = "redis"))]
    fn shared_nonces(&self) -> Option<Nonces> {
        None
    }
}

impl Inner {
    fn in_force(&self) -> MutexGuard<'_, InForce> {
        self.in_force.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self) {
        let beating = async {
            loop {
                self.beat().await;
                tokio::time::sleep(BEAT).await;
            }
        };
        let flushing = async {
            loop {
                tokio::time::sleep(FLUSH).await;
                self.flush().await;
            }
        };
        let pruning = async {
            loop {
                self.prune().await;
                tokio::time::sleep(PRUNE).await;
            }
        };
        tokio::join!(self.store.follow(self.options.follow_every), beating, flushing, pruning);
    }

    /// Who answers for this application says so; who only signs does not concern the others.
    async fn beat(&self) {
        let shared = self.in_force().nonces_are_shared();
        if let Some(shared) = shared {
            self.this_node.beat(&self.store, shared).await;
        }
        if shared == Some(false) {
            self.set_back.write_marks(&self.store).await;
        }
        #[cfg(feature = "redis")]
        self.remember_epoch().await;
    }

    async fn flush(&self) {
        let uses = self.uses.all();
        match self.store.note_use(&uses).await {
            Ok(()) => self.uses.written(&uses),
            // They stay, and go with the next. That the store fails is logged where it is followed.
            Err(error) => tracing::debug!(target: "taa", %error, "what was used could not be noted"),
        }
    }

    async fn prune(&self) {
        if let Err(error) = self.store.remove_ended_keys(&Actor::system()).await {
            tracing::warn!(target: "taa", %error, "own keys that have ended could not be deleted");
        }
    }
}

impl fmt::Debug for Keeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keeper({}, {:?})", self.0.in_force().identity().id(), self.0.store)
    }
}
