use taa_core::fields;

use crate::tracker::*;

/// Nothing that is printed may hold a key, or a field that could be sent again.
#[test]
fn nothing_secret_in_debug() {
    let clock = clock();
    let signer = signer(&clock);
    let mut request = get();
    let pending = signer.sign(&mut request, &fred(), None).unwrap();
    let trust = pending.read(&ask(&Tracker::new(&clock), &request));
    let shown = format!(
        "{signer:?} {pending:?} {:?} {:?} {request:?} {trust:?} {:?}",
        pending.session(),
        record(),
        builder(&clock)
    );
    for name in [fields::KEY, fields::SIGNATURE, fields::CERT] {
        assert!(!shown.contains(request.headers[&name].to_str().unwrap()), "{name}");
    }
    assert!(shown.contains("Session(from 1790000000000 ms until 1790000300000 ms)"), "{shown}");
}
