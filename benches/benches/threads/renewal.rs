use std::cell::Cell;
use std::sync::Arc;

use taa_benches::{Client, Report, Site, client_identity, parts, providers};
use taa_client::{ServerRecord, Signer};
use taa_core::crypto::{Random, RandomError, SystemRandom};
use taa_core::envelope::Lifetime;
use taa_core::time::{Clock, SystemClock};

use crate::{BITS, URL, span};

thread_local! {
    static MADE_A_SESSION: Cell<bool> = const { Cell::new(false) };
}

/// Notes on which thread the secret of a session is drawn: it is the only thing that has 32 bytes.
#[derive(Debug)]
struct Watched;

impl Random for Watched {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomError> {
        if out.len() == 32 {
            MADE_A_SESSION.set(true);
        }
        SystemRandom.fill(out)
    }
}

/// Two threads sign while their session is renewed every half second.
pub(crate) fn measure(report: &mut Report) {
    let client = client();
    let _first = client.signed(parts("GET", URL), None);
    let clock = SystemClock::new();
    let until = clock.monotonic() + 2 * span();
    let (mut made, mut others) = std::thread::scope(|scope| {
        let threads = [(), ()].map(|()| scope.spawn(|| sign(&client, &clock, until)));
        threads.into_iter().map(|thread| thread.join().expect("a thread")).fold(
            (Vec::new(), Vec::new()),
            |mut all, own| {
                all.0.extend(own.0);
                all.1.extend(own.1);
                all
            },
        )
    });
    made.sort_by(f64::total_cmp);
    others.sort_by(f64::total_cmp);
    let count = f64::from(u32::try_from(made.len()).expect("few"));
    report.add("threads/renewal", "sessions made under way", None, count, "");
    report.add("threads/renewal", "sign that makes a session, median", None, at(&made, 2), "µs");
    report.add("threads/renewal", "other sign, median", None, at(&others, 2), "µs");
    report.add("threads/renewal", "other sign, one in 10,000 takes longer", None, at(&others, 10_000), "µs");
}

/// The times of calls that made a session and of the others, in microseconds.
fn sign(client: &Client, clock: &SystemClock, until: std::time::Duration) -> (Vec<f64>, Vec<f64>) {
    let (mut made, mut others) = (Vec::new(), Vec::new());
    while clock.monotonic() < until {
        let mut request = parts("GET", URL);
        MADE_A_SESSION.set(false);
        let start = clock.monotonic();
        let _pending = client.sign(&mut request, None);
        let took = clock.monotonic().saturating_sub(start).as_secs_f64() * 1e6;
        if MADE_A_SESSION.get() { made.push(took) } else { others.push(took) }
    }
    (made, others)
}

fn client() -> Client {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let record = ServerRecord::builder(Site::new().trust().identity().certificate());
    let record = record.lifetime(Lifetime::from_secs(1).expect("a lifetime")).build().expect("a record");
    let signer = Signer::builder(identity).provider(provider).random(Arc::new(Watched)).server(record);
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
