use taa_benches::{Client, KnownSessions, LastSession, Report, Verifier, client_identity, parts};
use taa_core::time::{Clock, SystemClock};
use taa_server::session::SessionLimits;

use crate::scene::{BITS, Scene, client, provider, sizes};

/// So many sessions are opened by a client each, with two RSA operations on either side, and used in turn. The others are
/// entries under names of their own that share one session: of the table they take what any entry takes, and no request
/// finds them.
const USED: u32 = 4_096;

pub(crate) fn measure(report: &mut Report) {
    let provider = provider();
    let identity = client_identity(&*provider, BITS, "confluence:6512");
    // They all have one key, so every client's session can be opened by each.
    let verifier = || Verifier::new(&*provider, BITS, &identity);
    let all = sizes(&[1, 10, 100, 1_000, 10_000, 100_000]);
    let most = all.last().copied().unwrap_or(1).min(USED);
    let known = verifier();
    let clients: Vec<Client> = (0..most).map(|_| client(&provider, &identity, &known)).collect();
    for size in all {
        let room = usize::try_from(size).expect("a small number") + 1;
        let sessions = KnownSessions::new(SessionLimits { total: room, per_application: room });
        fill(&known, &sessions, clients.first().expect("a client"), size.saturating_sub(USED));
        let used = clients.iter().take(room - 1).cloned().collect();
        let scene = Scene::new(verifier(), sessions, used);
        assert_eq!(scene.sessions.len(), room - 1, "sessions in the table");
        report.add("scale/sessions", "decide, sessions in turn", Some(size.into()), scene.time().0, "ns");
    }
}

/// Keeps one session under so many names.
fn fill(verifier: &Verifier, sessions: &KnownSessions, client: &Client, entries: u32) {
    const URL: &str = "https://tracker.example/jira/rest/api/2/search";
    let last = LastSession::default();
    let first = client.signed(parts("GET", URL), None);
    verifier.decide(&last, &first).expect("the first request opens the session");
    let session = last.take().expect("a session");
    let now = SystemClock::new().wall().expect("a time");
    for number in 0..entries {
        sessions.fill(&number.to_be_bytes(), &session, now);
    }
}
