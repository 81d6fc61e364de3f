//! Bytes held for each nonce and each session, counted at the allocator: what was asked for, without what the allocator
//! itself adds.
//!
//! A table of nonces grows by doubling, so the bytes for each depend on how full it is; the figures are at a million. The
//! sessions are real ones, opened by a request each, because the keys count as well.

use allocation_counter::measure;
use taa_benches::{
    Client, KnownSessions, Report, Site, Verifier, client_identity, is_smoke_run, many_nonces, parts,
    providers,
};
use taa_core::decision::{NoSessions, Sessions};
use taa_core::id::AppId;
use taa_core::nonce::NonceKey;
use taa_core::time::SystemClock;
use taa_server::nonce::MemoryNonces;
use taa_server::session::SessionLimits;

const URL: &str = "https://tracker.example/jira/rest/api/2/search?jql=project%3DHSP";
const BITS: usize = 2048;

fn main() {
    let mut report = Report::new("memory");
    nonces(&mut report);
    server_sessions(&mut report);
    client_session(&mut report);
    report.write();
}

fn nonces(report: &mut Report) {
    let app = AppId::parse("confluence:6512").expect("an id");
    let keep = std::time::Duration::from_secs(90);
    for size in [10_000, 100_000, 1_000_000] {
        let size = if is_smoke_run() { 1_000 } else { size };
        let mut made = None;
        let info = measure(|| {
            let clock = std::sync::Arc::new(SystemClock::new());
            let nonces = MemoryNonces::new(clock, [7; 16], many_nonces());
            for number in 0..size {
                let key = NonceKey::of_request(&[1; 32], &iv(number));
                nonces.record_now(&app, key, keep).expect("room for a nonce");
            }
            made = Some(nonces);
        });
        assert_eq!(made.as_ref().map(MemoryNonces::live), Some(size));
        report.add("memory", "nonce", Some(size.into()), each(info.bytes_current, size), "bytes");
        let own = i64::try_from(made.expect("nonces").allocated()).expect("a length");
        report.add("memory", "nonce, as the table says", Some(size.into()), each(own, size), "bytes");
    }
}

fn server_sessions(report: &mut Report) {
    let [provider, _] = providers();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    let verifier = || Verifier::new(&*provider, BITS, &identity);
    let (keeping, forgetting) = (verifier(), verifier());
    let size = if is_smoke_run() { 10 } else { 10_000 };
    let client = || Client::new(&provider, &identity, keeping.identity().certificate());
    let requests: Vec<_> = (0..size).map(|_| client().signed(parts("GET", URL), None)).collect();
    let room = usize::try_from(size).expect("a small number");
    let sessions = KnownSessions::new(SessionLimits { total: room, per_application: room });
    // The same requests leave the same nonces with both, so the sessions are what differs.
    let bytes = |verifier: &Verifier, table: &dyn Sessions| {
        let info = measure(|| {
            for request in &requests {
                verifier.decide(table, request).expect("an allowed request");
            }
        });
        info.bytes_current
    };
    let (with, without) = (bytes(&keeping, &sessions), bytes(&forgetting, &NoSessions));
    assert_eq!(sessions.len(), room);
    report.add("memory", "session, server", Some(size.into()), each(with - without, size), "bytes");
}

fn client_session(report: &mut Report) {
    let client = Site::new().client();
    let request = parts("GET", URL);
    let mut signed = None;
    let session = measure(|| signed = Some(client.signed(request, None)));
    drop(signed);
    let again = parts("GET", URL);
    let mut signed = None;
    let request = measure(|| signed = Some(client.signed(again, None)));
    let bytes = session.bytes_current - request.bytes_current;
    report.add("memory", "session, client", Some(1.0), each(bytes, 1), "bytes");
}

fn iv(number: u32) -> [u8; 16] {
    let mut iv = [0; 16];
    let (front, _) = iv.split_at_mut(4);
    front.copy_from_slice(&number.to_be_bytes());
    iv
}

fn each(bytes: i64, count: u32) -> f64 {
    f64::from(u32::try_from(bytes).expect("fewer than 4 GiB")) / f64::from(count)
}
