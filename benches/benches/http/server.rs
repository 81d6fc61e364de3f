use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Command, Stdio};

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use taa_benches::{Site, handler};
use taa_core::certificate::Certificate;
use taa_core::crypto::AwsLc;
use taa_core::time::{Clock, SystemClock};
use taa_server::PeerAddress;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tower::{Layer, Service, ServiceExt};

use crate::cores::Cores;

/// What stands before the handler.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    Bare,
    Layer,
}

/// A server in a process of its own. It ends with this.
pub(crate) struct Server {
    child: Child,
    address: SocketAddr,
    certificate: Certificate,
}

const SERVE: &str = "serve";

impl Server {
    /// Starts this program once more, as a server.
    pub(crate) fn start(kind: Kind, cores: Cores) -> Self {
        let program = std::env::current_exe().expect("the path of this program");
        let mut child = Command::new(program)
            .args([SERVE, &format!("{kind:?}"), &format!("{cores:?}")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a server");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let mut line = || lines.next().expect("a line of the server").expect("text");
        let address = line().parse().expect("its address");
        let now = SystemClock::new().wall().expect("a time");
        let certificate = Certificate::verify(&AwsLc, &line(), now).expect("its certificate");
        Self { child, address, certificate }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    pub(crate) fn process(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends when its input does.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What this program is to be, when it was started as a server.
pub(crate) fn arguments() -> Option<(Kind, Cores)> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [serve, kind, cores] = arguments.as_slice() else { return None };
    if serve != SERVE {
        return None;
    }
    let kind = if kind == "Layer" { Kind::Layer } else { Kind::Bare };
    Some((kind, if cores == "Two" { Cores::Two } else { Cores::One }))
}

/// Serves until the input ends.
pub(crate) fn run((kind, cores): (Kind, Cores)) {
    let site = Site::new();
    let runtime = runtime(cores);
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).expect("a socket");
    let mut out = std::io::stdout();
    let certificate = site.trust().identity().certificate().document().to_owned();
    writeln!(out, "{}\n{certificate}", listener.local_addr().expect("an address")).expect("a reader");
    out.flush().expect("a reader");

    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let bare = tower::service_fn(handler);
    match kind {
        Kind::Bare => runtime.block_on(serve(listener, bare)),
        Kind::Layer => {
            runtime.block_on(serve(listener, site.trust().layer().layer(tower::service_fn(handler))))
        }
    }
}

fn runtime(cores: Cores) -> Runtime {
    let own = cores.server();
    if let [core] = own.as_slice() {
        core_affinity::set_for_current(*core);
        return Builder::new_current_thread().enable_all().build().expect("a runtime");
    }
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(own.len()).enable_all();
    if cores.loader().is_some() {
        // The machine has more cores, of which the server is to have these.
        let places = std::sync::Mutex::new(own);
        builder.on_thread_start(move || {
            if let Some(core) = places.lock().ok().and_then(|mut places| places.pop()) {
                core_affinity::set_for_current(core);
            }
        });
    }
    builder.build().expect("a runtime")
}

async fn serve<S, B>(listener: TcpListener, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Accepted on a worker, not on the thread that waits here.
    let accepting = async move {
        loop {
            let (stream, peer) = listener.accept().await.expect("a connection");
            tokio::spawn(connection(stream, peer, service.clone()));
        }
    };
    let _never: Result<(), _> = tokio::spawn(accepting).await;
}

async fn connection<S, B>(stream: TcpStream, peer: SocketAddr, service: S)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    stream.set_nodelay(true).expect("a socket");
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(PeerAddress(peer.ip()));
        service.clone().oneshot(request)
    });
    // The loader hangs up without a word.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
