//! What an operator sees of requests: counters with words of a fixed list, events without what a stranger sent.

use std::io::Write;
use std::sync::{Arc, Mutex};

use http::{Method, Request};
use metrics_util::MetricKind;
use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use taa_core::answer::Code;
use taa_core::fields;
use tracing_subscriber::fmt::MakeWriter;

use super::world::{World, full, value};
use crate::heard::heard_by;

/// A name that must turn up nowhere.
const HOSTILE: &str = "evil-0123456789";

/// Everything there is to see: an accepted request, proven and unproven refusals, and rubbish.
fn happenings() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let world = World::new();
        world.accepted(&world.get("/")).await;
        let call = world.get("/");
        world.accepted(&call).await;
        world.refused(&call, Code::Replayed).await;
        for (field, text) in [
            (fields::ID, HOSTILE),
            (fields::VERSION, HOSTILE),
            (fields::CERT, HOSTILE),
            (fields::KEY, HOSTILE),
            (fields::SIGNATURE, HOSTILE),
        ] {
            let mut request = world.get(&format!("/{HOSTILE}")).request();
            request.headers_mut().insert(field, value(text));
            world.send_request(request).await;
        }
        let request =
            Request::builder().method(Method::GET).uri(format!("/{HOSTILE}")).body(full("")).unwrap();
        world.send_request(request).await;
    });
}

/// Kind, name, labels, count.
type Counted = (MetricKind, String, Vec<(String, String)>, u64);

fn counted(snapshotter: &Snapshotter) -> Vec<Counted> {
    let all = snapshotter.snapshot().into_vec();
    all.into_iter()
        .map(|(key, _, _, value)| {
            let (kind, key) = key.into_parts();
            let labels =
                key.labels().map(|label| (label.key().to_owned(), label.value().to_owned())).collect();
            let count = match value {
                DebugValue::Counter(count) => count,
                DebugValue::Histogram(values) => u64::try_from(values.len()).unwrap(),
                DebugValue::Gauge(_) => panic!("there is no gauge"),
            };
            (kind, key.name().to_owned(), labels, count)
        })
        .collect()
}

#[test]
fn labels_are_words_of_a_fixed_list() {
    let recorder = DebuggingRecorder::new();
    let snapshotter = recorder.snapshotter();
    metrics::with_local_recorder(&recorder, happenings);
    let seen = counted(&snapshotter);
    let mut trusted = 0;
    let mut refused = 0;
    for (kind, name, labels, count) in &seen {
        let of = |wanted: &str| labels.iter().find(|(key, _)| key == wanted).map(|(_, value)| value.as_str());
        match (kind, name.as_str()) {
            (MetricKind::Counter, "taa_requests_total") => {
                let code = of("code").unwrap();
                assert!(code == "OK" || Code::ALL.iter().any(|known| known.as_str() == code), "{code}");
                assert!(["2", "3", "4", "other"].contains(&of("version").unwrap()));
                match of("outcome").unwrap() {
                    "trusted" => trusted += count,
                    "refused" => refused += count,
                    other => panic!("{other}"),
                }
            }
            (MetricKind::Histogram, "taa_request_check_seconds") => {
                assert!(["trusted", "refused"].contains(&of("outcome").unwrap()));
            }
            other => panic!("{other:?}"),
        }
        assert!(!format!("{labels:?}").contains(HOSTILE));
    }
    assert_eq!((trusted, refused), (2, 6), "a request without TAA fields is not counted: {seen:?}");
}

/// What was written, for a subscriber that writes everything.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[test]
fn events_name_the_reason_and_nothing_a_stranger_sent() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    heard_by(subscriber, happenings);
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for said in [
        "auth.outcome=\"trusted\"",
        "auth.code=\"REPLAYED\" auth.reason=the certificate was used before",
        "auth.code=\"APP_UNKNOWN\" auth.reason=no application has this id",
        "auth.code=\"BAD_PROTOCOL_VERSION\"",
        "auth.code=\"MALFORMED\"",
    ] {
        assert!(text.contains(said), "{said} is not in\n{text}");
    }
    assert!(!text.contains(HOSTILE), "{text}");
}
