use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};

use ::redis::Value;
use taa_core::time::{ManualClock, SystemClock, UnixMillis};

use super::*;

const KEEP: Duration = Duration::from_secs(120);

fn shared_redis() -> String {
    let given = std::env::var_os("TAA_TEST_REDIS").map(|url| url.into_string().unwrap());
    given.unwrap_or_else(|| "redis://127.0.0.1:6379/".into())
}

/// A server id of its own for each test: Redis is shared.
fn server() -> AppId {
    AppId::parse(&format!("test-{}", Epoch::fresh_id().unwrap())).unwrap()
}

fn wiki() -> AppId {
    AppId::parse("wiki").unwrap()
}

fn nonce(number: u64) -> NonceKey {
    let mut iv = [0; 16];
    iv[..8].copy_from_slice(&number.to_be_bytes());
    NonceKey::of_request(&[9; 32], &iv)
}

async fn connect(url: &str, server: &AppId, known: Option<&str>) -> RedisNonces {
    RedisNonces::connect(url, server, known, RedisOptions::default()).await.unwrap()
}

async fn command(url: &str, words: &[&str]) {
    let mut connection = Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let mut command = ::redis::cmd(words[0]);
    command.arg(&words[1..]);
    command.query_async::<Value>(&mut connection).await.unwrap();
}

async fn record(nonces: &RedisNonces, number: u64) -> Result<Seen, NonceError> {
    nonces.record(&wiki(), nonce(number), KEEP).await
}

/// A Redis of the test's own, which it may restart, behind a socket in a folder that goes with it.
struct Own {
    folder: tempfile::TempDir,
    process: Child,
}

impl Own {
    fn start(settings: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = Self::spawn(&folder, settings);
        let own = Self { folder, process };
        own.wait();
        own
    }

    fn spawn(folder: &tempfile::TempDir, settings: &[&str]) -> Child {
        Command::new("redis-server")
            .args(["--port", "0", "--unixsocket", "socket", "--dir"])
            .arg(folder.path())
            .args(settings)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn restart(&mut self, settings: &[&str]) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
        let _ = std::fs::remove_file(self.folder.path().join("socket"));
        self.process = Self::spawn(&self.folder, settings);
        self.wait();
    }

    fn wait(&self) {
        let started = SystemClock::new();
        while std::os::unix::net::UnixStream::connect(self.folder.path().join("socket")).is_err() {
            assert!(started.monotonic() < Duration::from_secs(10), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn url(&self) -> String {
        format!("redis+unix://{}", self.folder.path().join("socket").display())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs Redis"]
async fn of_many_at_once_one_is_first() {
    let (url, server) = (shared_redis(), server());
    let one = connect(&url, &server, None).await;
    let other = connect(&url, &server, one.epoch().as_deref()).await;
    assert!(one.is_shared());
    for number in 0..5 {
        assert!(!one.contains(nonce(number)).await.unwrap());
        let tasks: Vec<_> = (0..64)
            .map(|i| {
                let nonces = if i % 2 == 0 { one.clone() } else { other.clone() };
                tokio::spawn(async move { record(&nonces, number).await.unwrap() })
            })
            .collect();
        let mut first = 0;
        for task in tasks {
            first += usize::from(task.await.unwrap() == Seen::First);
        }
        assert_eq!(first, 1);
        assert!(other.contains(nonce(number)).await.unwrap());
    }
    // Another server id is another world.
    let elsewhere = connect(&url, &AppId::parse(&format!("{server}:n")).unwrap(), None).await;
    assert_eq!(record(&elsewhere, 0).await.unwrap(), Seen::First);
}

#[tokio::test]
#[ignore = "needs Redis"]
async fn kept_for_as_long_as_was_asked() {
    let nonces = connect(&shared_redis(), &server(), None).await;
    let began = SystemClock::new();
    nonces.record(&wiki(), nonce(1), Duration::from_millis(400)).await_first().await;
    let mut first = None;
    while first.is_none() {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let seen = nonces.record(&wiki(), nonce(1), Duration::from_millis(400)).await.unwrap();
        first = (seen == Seen::First).then(|| began.monotonic());
        assert!(began.monotonic() < Duration::from_secs(5), "it is never forgotten");
    }
    assert!(first.unwrap() >= Duration::from_millis(399), "{first:?}");
    for keep in [Duration::ZERO, Duration::from_secs(27 * 60)] {
        assert_eq!(nonces.record(&wiki(), nonce(7), keep).await.unwrap(), Seen::First, "{keep:?}");
        while keep.is_zero() && nonces.contains(nonce(7)).await.unwrap() {}
    }
    let too_long = nonces.record(&wiki(), nonce(8), Duration::from_secs(29 * 60)).await;
    assert!(matches!(too_long, Err(NonceError::TooLong)));
}

trait AwaitFirst {
    async fn await_first(self);
}

impl<F: Future<Output = Result<Seen, NonceError>>> AwaitFirst for F {
    async fn await_first(self) {
        assert_eq!(self.await.unwrap(), Seen::First);
    }
}

#[tokio::test]
#[ignore = "needs Redis"]
async fn a_lost_epoch_is_noticed_by_every_node() {
    let (url, server) = (shared_redis(), server());
    let one = connect(&url, &server, None).await;
    let remembered = one.epoch().unwrap();
    let other = connect(&url, &server, Some(&remembered)).await;
    record(&one, 1).await_first().await;
    record(&other, 2).await_first().await;
    let has = async |known: &str| {
        RedisNonces::has_memory(&url, &server, known, RedisOptions::default()).await.unwrap()
    };
    assert!(has(&remembered).await);

    command(&url, &["DEL", &format!("taa:{{{server}}}:epoch")]).await;
    for _ in 0..2 {
        assert!(matches!(record(&one, 3).await, Err(NonceError::Forgotten)));
        assert!(matches!(one.contains(nonce(3)).await, Err(NonceError::Forgotten)));
        assert!(!has(&remembered).await, "and to look begins no epoch");
    }
    one.resume().await.unwrap();
    record(&one, 3).await_first().await;
    assert_eq!(one.epoch(), None, "a node that starts now must notice as well");
    assert!(matches!(record(&other, 4).await, Err(NonceError::Forgotten)));
    other.resume().await.unwrap();
    assert_eq!(record(&other, 3).await.unwrap(), Seen::Before, "both have the same new one");

    assert!(!has(&remembered).await);
    let third = connect(&url, &server, Some(&remembered)).await;
    assert!(matches!(record(&third, 5).await, Err(NonceError::Forgotten)));
    for unreadable in ["", "x", " "] {
        let node = connect(&url, &server, Some(unreadable)).await;
        assert!(matches!(record(&node, 5).await, Err(NonceError::Forgotten)), "{unreadable:?}");
        assert!(!has(unreadable).await);
    }
}

/// It comes back with what it wrote to its disk a while ago: the epoch is there, the nonces of the last seconds are not.
#[tokio::test]
#[ignore = "needs Redis (redis-server)"]
async fn a_restart_is_noticed_even_when_the_epoch_is_restored() {
    let mut own = Own::start(&["--save", ""]);
    let nonces = connect(&own.url(), &server(), None).await;
    record(&nonces, 1).await_first().await;
    command(&own.url(), &["SAVE"]).await;
    record(&nonces, 2).await_first().await;
    own.restart(&["--save", ""]);
    // The first may find the old connection.
    let forgotten = async || matches!(record(&nonces, 2).await, Err(NonceError::Forgotten));
    let began = SystemClock::new();
    while !forgotten().await {
        assert!(began.monotonic() < Duration::from_secs(10));
    }
    assert!(forgotten().await);
    nonces.resume().await.unwrap();
    assert_eq!(record(&nonces, 1).await.unwrap(), Seen::Before, "that one was on the disk");
    assert_eq!(record(&nonces, 2).await.unwrap(), Seen::First, "which is why the server raised its fence");
}

#[tokio::test]
#[ignore = "needs Redis (redis-server)"]
async fn a_full_redis_is_full_and_forgets_nothing() {
    let own = Own::start(&["--save", "", "--maxmemory", "2mb", "--maxmemory-policy", "noeviction"]);
    let nonces = connect(&own.url(), &server(), None).await;
    let mut recorded = 0;
    let full = loop {
        match record(&nonces, recorded).await {
            Ok(seen) => assert_eq!(seen, Seen::First),
            Err(error) => break error,
        }
        recorded += 1;
    };
    assert!(matches!(full, NonceError::Full), "{full:?}");
    assert!(recorded > 100);
    for number in 0..recorded {
        assert!(nonces.contains(nonce(number)).await.unwrap(), "{number} of {recorded}");
    }
    assert_eq!(record(&nonces, 0).await.unwrap(), Seen::Before);
}

#[tokio::test]
#[ignore = "needs Redis (redis-server)"]
async fn a_redis_that_evicts_is_refused() {
    let own = Own::start(&["--save", "", "--maxmemory", "20mb", "--maxmemory-policy", "allkeys-lru"]);
    let refused = RedisNonces::connect(&own.url(), &server(), None, RedisOptions::default()).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, RedisNoncesError::Evicts { .. }), "{error:?}");
    let shown = error.to_string();
    assert!(shown.contains("maxmemory-policy") && shown.contains("noeviction"), "{shown}");
    // Without a bound nothing is evicted, whatever the policy.
    command(&own.url(), &["CONFIG", "SET", "maxmemory", "0"]).await;
    connect(&own.url(), &server(), None).await;
    // A user who may not look is warned and goes on.
    let rules = ["ACL", "SETUSER", "default", "-config"];
    command(&own.url(), &["CONFIG", "SET", "maxmemory", "20mb"]).await;
    command(&own.url(), &rules).await;
    connect(&own.url(), &server(), None).await;
    // One who may not ask for Redis' identity could not notice a loss.
    command(&own.url(), &["ACL", "SETUSER", "default", "-info"]).await;
    let refused = RedisNonces::connect(&own.url(), &server(), None, RedisOptions::default()).await;
    assert!(matches!(refused, Err(RedisNoncesError::Connect(_))), "{refused:?}");
}

#[tokio::test]
#[ignore = "needs Redis"]
async fn bounds_of_an_application_and_of_all() {
    let limits = RedisLimits {
        total: 5,
        per_application: 3,
        far_total: 2,
        far_per_application: 2,
        ..Default::default()
    };
    let options = RedisOptions::default().limits(limits);
    let nonces = RedisNonces::connect(&shared_redis(), &server(), None, options).await.unwrap();
    for number in 0..3 {
        record(&nonces, number).await_first().await;
    }
    assert!(matches!(record(&nonces, 3).await, Err(NonceError::Full)));
    assert_eq!(record(&nonces, 0).await.unwrap(), Seen::Before);
    let other = AppId::parse("other").unwrap();
    let of_other = async |number| nonces.record(&other, nonce(number), KEEP).await;
    assert_eq!(of_other(3).await.unwrap(), Seen::First, "what was refused was not recorded");
    of_other(4).await_first().await;
    assert!(matches!(of_other(5).await, Err(NonceError::Full)));
    // Far ones are counted apart.
    let far = async |number| nonces.record(&wiki(), nonce(number), Duration::from_secs(900)).await;
    far(10).await_first().await;
    far(11).await_first().await;
    assert!(matches!(far(12).await, Err(NonceError::Full)));
}

/// Nonces lapse by Redis' clock. This node's stands still, which is the same as if that one leapt.
#[tokio::test]
#[ignore = "needs Redis"]
async fn a_clock_that_leaps_is_a_loss() {
    #[derive(Debug)]
    struct Behind(AtomicU64);
    impl Clock for Behind {
        fn wall(&self) -> Result<UnixMillis, taa_core::time::ClockError> {
            ManualClock::default().wall()
        }
        fn monotonic(&self) -> Duration {
            Duration::from_secs(self.0.load(Ordering::SeqCst))
        }
    }
    let clock = Arc::new(Behind(AtomicU64::new(100)));
    let options = RedisOptions::default().clock(clock.clone());
    let nonces = RedisNonces::connect(&shared_redis(), &server(), None, options).await.unwrap();
    record(&nonces, 1).await_first().await;
    clock.0.store(60, Ordering::SeqCst);
    for _ in 0..2 {
        assert!(matches!(record(&nonces, 1).await, Err(NonceError::Forgotten)));
    }
    nonces.resume().await.unwrap();
    assert_eq!(record(&nonces, 1).await.unwrap(), Seen::Before);
}

/// Accepts connections and says nothing.
async fn silent() -> (String, tokio::task::JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("redis://:hunter2@{}/", listener.local_addr().unwrap());
    let task = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = listener.accept().await {
            held.push(connection);
        }
    });
    (url, task)
}

#[tokio::test]
async fn who_does_not_answer_is_given_up() {
    let (url, _task) = silent().await;
    let options = || {
        RedisOptions::default()
            .connect_timeout(Duration::from_millis(200))
            .command_timeout(Duration::from_millis(100))
    };
    let began = SystemClock::new();
    let error = RedisNonces::connect(&url, &server(), None, options()).await.unwrap_err();
    assert!(began.monotonic() < Duration::from_secs(2));
    assert!(matches!(error, RedisNoncesError::Connect(NonceError::Unavailable(_))), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("hunter2"));

    let over_tls = RedisNonces::connect(&url.replace("redis:", "rediss:"), &server(), None, options()).await;
    assert!(matches!(over_tls, Err(RedisNoncesError::Connect(_))), "{over_tls:?}");

    // Nothing listens there any more.
    let address = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let gone = RedisNonces::connect(&format!("redis://{address}/"), &server(), None, options()).await;
    assert!(matches!(gone, Err(RedisNoncesError::Connect(_))), "{gone:?}");
    for url in ["", "http://localhost", "redis://", "hunter2"] {
        let error = RedisNonces::connect(url, &server(), None, options()).await.unwrap_err();
        assert!(matches!(error, RedisNoncesError::Url), "{url}: {error:?}");
    }
}

/// It answered once, and does not any more: the process is stopped, the connection stays.
#[tokio::test]
#[ignore = "needs Redis (redis-server)"]
async fn who_falls_silent_refuses_in_time() {
    let own = Own::start(&["--save", ""]);
    let nonces = connect(&own.url(), &server(), None).await;
    record(&nonces, 1).await_first().await;
    let stop = |signal: &str| {
        let pid = own.process.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    };
    stop("-STOP");
    for _ in 0..2 {
        let began = SystemClock::new();
        assert!(matches!(record(&nonces, 2).await, Err(NonceError::Unavailable(_))));
        assert!(began.monotonic() < Duration::from_secs(2), "{:?}", began.monotonic());
    }
    stop("-CONT");
    let began = SystemClock::new();
    while record(&nonces, 3).await.is_err() {
        assert!(began.monotonic() < Duration::from_secs(10), "it does not come back");
    }
}

#[tokio::test]
#[ignore = "needs Redis (redis-server)"]
async fn a_password_is_shown_nowhere() {
    let own = Own::start(&["--save", "", "--requirepass", "hunter2"]);
    let url = |password: &str| format!("{}?pass={password}", own.url());
    let nonces = connect(&url("hunter2"), &server(), None).await;
    assert!(!format!("{nonces:?}").contains("hunter2"));
    let error =
        RedisNonces::connect(&url("hunter3"), &server(), None, RedisOptions::default()).await.unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string);
    assert!(!format!("{error:?} {error} {source:?}").contains("hunter"), "{error:?}");
}
