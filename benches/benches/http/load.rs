use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use taa_core::crypto::{Random, SystemRandom};
use taa_core::time::{Clock, SystemClock};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::sync::mpsc;
use tokio::task::LocalSet;

use crate::cores::{Cores, processor_seconds};
use crate::requests::Requests;
use crate::server::Server;

/// How a server is loaded.
#[derive(Clone, Copy)]
pub(crate) enum Load {
    /// Each connection sends its next request when the answer is there.
    Closed { for_: Duration, most: usize },
    /// Requests are due at random times, whatever becomes of those before.
    Open { for_: Duration, per_second: f64 },
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) per_second: f64,
    /// The server's processor time for one request.
    pub(crate) server_micros: f64,
    /// Of a core.
    pub(crate) server_busy: f64,
    /// Of a core. With a core of its own, and in an open loop, the loader is always busy.
    pub(crate) loader_busy: f64,
    /// In microseconds, the least first.
    latencies: Vec<f64>,
}

impl Loaded {
    /// The latency in microseconds that this part of the requests did not exceed.
    #[expect(clippy::as_conversions, reason = "a place in a list, far below the limits of both types")]
    pub(crate) fn latency(&self, part: f64) -> f64 {
        let place = (self.latencies.len() as f64 * part) as usize;
        self.latencies.get(place.min(self.latencies.len().saturating_sub(1))).copied().unwrap_or_default()
    }
}

impl Load {
    fn for_(self) -> Duration {
        match self {
            Self::Closed { for_, .. } | Self::Open { for_, .. } => for_,
        }
    }

    /// The most requests that are needed.
    #[expect(clippy::as_conversions, reason = "a number of requests, far below the limits of both types")]
    pub(crate) fn most(self) -> usize {
        match self {
            Self::Closed { most, .. } => most,
            Self::Open { for_, per_second } => (for_.as_secs_f64() * per_second * 1.5) as usize + 100,
        }
    }

    fn connections(self) -> usize {
        match self {
            Self::Closed { .. } => 32,
            // So many that one is free whenever a request is due.
            Self::Open { .. } => 128,
        }
    }
}

/// The loader, on a thread of its own so that its place binds nothing else.
pub(crate) fn run(server: &Server, cores: Cores, requests: Requests, load: Load) -> Loaded {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let own = cores.loader();
            if let Some(core) = own {
                core_affinity::set_for_current(core);
            }
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            // With a core of its own it never sleeps: to wake it would be work for the server's core, and the more the
            // less there is to do, where a client on another machine costs nothing of that kind.
            let awake = own.is_some();
            LocalSet::new().block_on(&runtime, drive(server, requests, load, awake))
        });
        thread.join().expect("the loader")
    })
}

/// What the connections share.
struct Shared {
    requests: RefCell<Requests>,
    latencies: RefCell<Vec<f64>>,
    clock: SystemClock,
    until: Duration,
}

async fn drive(server: &Server, requests: Requests, load: Load, awake: bool) -> Loaded {
    let mut connections = Vec::new();
    for _ in 0..load.connections() {
        connections.push(Connection::open(server.address()).await);
    }
    let clock = SystemClock::new();
    let before = (processor_seconds(server.process()), processor_seconds(std::process::id()));
    let start = clock.monotonic();
    let shared = Rc::new(Shared {
        requests: RefCell::new(requests),
        latencies: RefCell::new(Vec::with_capacity(load.most())),
        clock,
        until: start + load.for_(),
    });
    match load {
        Load::Closed { .. } => closed(connections, &shared, awake).await,
        Load::Open { per_second, .. } => open(connections, &shared, per_second).await,
    }
    let took = clock.monotonic().saturating_sub(start).as_secs_f64();
    let server_seconds = processor_seconds(server.process()) - before.0;
    let loader_seconds = processor_seconds(std::process::id()) - before.1;
    let mut latencies = shared.latencies.take();
    latencies.sort_by(f64::total_cmp);
    let requests = f64::from(u32::try_from(latencies.len()).expect("fewer requests"));
    Loaded {
        per_second: requests / took,
        server_micros: server_seconds * 1e6 / requests,
        server_busy: server_seconds / took,
        loader_busy: loader_seconds / took,
        latencies,
    }
}

async fn closed(connections: Vec<Connection>, shared: &Rc<Shared>, awake: bool) {
    let tasks: Vec<_> = connections
        .into_iter()
        .map(|mut connection| {
            let shared = Rc::clone(shared);
            tokio::task::spawn_local(async move {
                while shared.clock.monotonic() < shared.until {
                    let due = shared.clock.monotonic();
                    if !connection.exchange(&shared, due).await {
                        break;
                    }
                }
            })
        })
        .collect();
    while awake && !tasks.iter().all(tokio::task::JoinHandle::is_finished) {
        tokio::task::yield_now().await;
    }
    for task in tasks {
        task.await.expect("a connection");
    }
}

async fn open(connections: Vec<Connection>, shared: &Rc<Shared>, per_second: f64) {
    let free: Rc<RefCell<Vec<usize>>> = Rc::new(RefCell::new((0..connections.len()).collect()));
    let (mut senders, mut tasks) = (Vec::new(), Vec::new());
    for (place, mut connection) in connections.into_iter().enumerate() {
        let (send, mut due) = mpsc::unbounded_channel();
        senders.push(send);
        let (shared, free) = (Rc::clone(shared), Rc::clone(&free));
        tasks.push(tokio::task::spawn_local(async move {
            while let Some(due) = due.recv().await {
                if !connection.exchange(&shared, due).await {
                    break;
                }
                free.borrow_mut().push(place);
            }
        }));
    }
    let mut next = shared.clock.monotonic();
    while next < shared.until {
        while next < shared.until && next <= shared.clock.monotonic() {
            // With none free it waits, and its latency counts on.
            let Some(place) = free.borrow_mut().pop() else { break };
            senders.get(place).and_then(|sender| sender.send(next).ok()).expect("a connection");
            next += pause(per_second);
        }
        tokio::task::yield_now().await;
    }
    // The connections end when they have their last answer.
    drop(senders);
    for task in tasks {
        task.await.expect("a connection");
    }
}

/// The time between two requests of a Poisson process.
fn pause(per_second: f64) -> Duration {
    let mut bytes = [0; 4];
    SystemRandom.fill(&mut bytes).expect("randomness");
    let uniform = (f64::from(u32::from_be_bytes(bytes)) + 1.0) / (f64::from(u32::MAX) + 1.0);
    Duration::from_secs_f64(-uniform.ln() / per_second)
}

/// A connection that is kept alive.
struct Connection {
    stream: TcpStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    /// How long every answer is, once one was seen: they differ in no length.
    length: Option<usize>,
}

impl Connection {
    async fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, request: Vec::new(), answer: Vec::new(), length: None }
    }

    /// Sends a request, waits for the answer, and notes the time since it was due. False when there is no request left.
    async fn exchange(&mut self, shared: &Shared, due: Duration) -> bool {
        if !shared.requests.borrow_mut().next(&mut self.request) {
            return false;
        }
        self.stream.write_all(&self.request).await.expect("a server that reads");
        self.answer.clear();
        while self.length.is_none_or(|length| self.answer.len() < length) {
            let read = self.stream.read_buf(&mut self.answer).await.expect("an answer");
            assert_ne!(read, 0, "the server hung up");
            self.length = self.length.or_else(|| length_of(&self.answer));
        }
        assert_eq!(Some(self.answer.len()), self.length, "answers of one length");
        assert!(self.answer.starts_with(b"HTTP/1.1 200 "), "{}", String::from_utf8_lossy(&self.answer));
        let took = shared.clock.monotonic().saturating_sub(due);
        shared.latencies.borrow_mut().push(took.as_secs_f64() * 1e6);
        true
    }
}

/// The length of head and content, once the head is there.
fn length_of(answer: &[u8]) -> Option<usize> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, _) = text.split_once("\r\n\r\n")?;
    let content = head.lines().find_map(|line| line.strip_prefix("content-length: "))?;
    Some(head.len() + 4 + content.parse::<usize>().ok()?)
}
