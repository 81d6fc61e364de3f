use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::Store;

impl Store {
    /// Follows the database for ever: listens for changes (PostgreSQL), and polls every `every` besides. Failures are
    /// logged once until it goes well again.
    pub async fn follow(&self, every: Duration) {
        let health = Health::default();
        let polling = async {
            loop {
                self.ask(&health).await;
                tokio::time::sleep(every).await;
            }
        };
        tokio::join!(polling, self.listen(every, &health));
    }

    async fn ask(&self, health: &Health) {
        match self.poll().await {
            Ok(_) => health.well(),
            Err(error) => health.ill(&error),
        }
    }

    #[cfg(not(feature = "postgres"))]
    #[allow(clippy::unused_async, reason = "there is nothing to listen to")]
    async fn listen(&self, _every: Duration, _health: &Health) {}

    /// Polls whenever another process announces a change. While there is no connection to listen on, polling is left.
    #[cfg(feature = "postgres")]
    async fn listen(&self, every: Duration, health: &Health) {
        let crate::db::Engine::Postgres { url, channel } = &self.0.engine else { return };
        loop {
            if let Ok(mut listener) = listener(url, channel).await {
                // What was announced before it listened was not heard.
                self.ask(health).await;
                // `None`: the connection was lost and made anew, and something may have been missed.
                while listener.try_recv().await.is_ok() {
                    self.ask(health).await;
                }
            }
            tokio::time::sleep(every).await;
        }
    }
}

#[cfg(feature = "postgres")]
async fn listener(url: &url::Url, channel: &str) -> Result<sqlx::postgres::PgListener, sqlx::Error> {
    use sqlx::ConnectOptions;
    use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};

    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(crate::db::TO_CONNECT)
        .max_lifetime(None)
        .idle_timeout(None)
        .connect_with(PgConnectOptions::from_url(url)?)
        .await?;
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.listen(channel).await?;
    Ok(listener)
}

/// Whether the last poll went well.
#[derive(Default)]
struct Health {
    ill: AtomicBool,
}

impl Health {
    fn well(&self) {
        if self.ill.swap(false, Ordering::Relaxed) {
            tracing::info!(target: "taa", "the store is read again");
        }
    }

    fn ill(&self, error: &crate::StoreError) {
        if !self.ill.swap(true, Ordering::Relaxed) {
            let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
            tracing::error!(target: "taa", %error, cause, "the store cannot be read; what was read last stays");
        }
    }
}
