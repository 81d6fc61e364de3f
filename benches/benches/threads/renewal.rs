use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use taa_benches::{Client, Report, Site, client_identity, parts, providers};
use taa_client::{ServerRecord, Signer};
use taa_core::crypto::{Random, RandomError, SystemRandom};
use taa_core::envelope::Lifetime;
use taa_core::time::{Clock, SystemClock};

use crate::{BITS, URL, span};

/// Counts the secrets of sessions: they are the only thing that has 32 bytes.
#[derive(Debug, Default)]
struct Counting(AtomicU32);

impl Random for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        if out.len() == 32 {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        SystemRandom.fill(out)
    }
}

/// Two threads sign while their session is renewed every half second, by a third.
pub(crate) fn measure(report: &mut Report) {
    let counting = Arc::new(Counting::default());
    let client = client(counting.clone());
    let _first = client.signed(parts("GET", URL), None);
    let clock = SystemClock::new();
    let until = clock.monotonic() + 2 * span();
    let mut times: Vec<f64> = std::thread::scope(|scope| {
        let threads = [(), ()].map(|()| scope.spawn(|| sign(&client, &clock, until)));
        threads.into_iter().flat_map(|thread| thread.join().expect("a thread")).collect()
    });
    times.sort_by(f64::total_cmp);
    let made = f64::from(counting.0.load(Ordering::Relaxed) - 1);
    report.add("threads/renewal", "sessions made under way", None, made, "");
    report.add("threads/renewal", "sign while sessions are renewed, median", None, at(&times, 2), "µs");
    for (one_in, case) in [
        (10_000, "sign while sessions are renewed, one in 10,000 takes longer"),
        (100_000, "sign while sessions are renewed, one in 100,000 takes longer"),
    ] {
        report.add("threads/renewal", case, None, at(&times, one_in), "µs");
    }
}

/// The times of calls, in microseconds.
fn sign(client: &Client, clock: &SystemClock, until: std::time::Duration) -> Vec<f64> {
    let mut times = Vec::new();
    while clock.monotonic() < until {
        let mut request = parts("GET", URL);
        let start = clock.monotonic();
        let _pending = client.sign(&mut request, None);
        times.push(clock.monotonic().saturating_sub(start).as_secs_f64() * 1e6);
    }
    times
}

fn client(random: Arc<dyn Random>) -> Client {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let record = ServerRecord::builder(Site::new().trust().identity().certificate());
    let record = record.lifetime(Lifetime::from_secs(1).expect("a lifetime")).build().expect("a record");
    let signer = Signer::builder(identity).provider(provider).random(random).server(record);
    Client::of(signer.build().expect("a signer"))
}

/// The time that all but one in so many stay below.
fn at(sorted: &[f64], one_in: usize) -> f64 {
    sorted
        .get(sorted.len() - (sorted.len() / one_in).min(sorted.len()))
        .or(sorted.last())
        .copied()
        .unwrap_or_default()
}
