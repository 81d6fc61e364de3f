use std::net::{IpAddr, SocketAddr};

use anyhow::Result;
use axum::Router;
use axum::extract::ConnectInfo;
use http::Extensions;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

/// Serves until the process is told to stop, HTTP/1.1 and HTTP/2 without TLS; requests under way are finished.
///
/// # Errors
/// When the listener fails.
pub async fn serve(listener: TcpListener, router: Router) -> Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, service).with_graceful_shutdown(stop()).await?;
    Ok(())
}

async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! { _ = interrupt => {}, _ = terminate.recv() => {} }
            return;
        }
    }
    // Without a handler the default action stops the process.
    let _stopped = interrupt.await;
}

/// The address of the socket, where axum puts it.
#[must_use]
pub fn peer_address(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip())
}

/// Logs to standard error; `RUST_LOG` chooses what, warnings by default.
pub fn init_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn,taa=info"));
    // A second call in one process changes nothing.
    let _set = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
