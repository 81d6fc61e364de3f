use std::time::Duration;

use taa_benches::Report;
use taa_core::id::AppId;
use taa_core::nonce::NonceKey;

use crate::scene::{Scene, sizes};

/// Long enough for the bench, and an ordinary time: half a greatest timeout.
const KEEP: Duration = Duration::from_secs(90);

pub(crate) fn measure(report: &mut Report) {
    for size in sizes(&[0, 1_000, 10_000, 100_000, 1_000_000]) {
        let scene = Scene::plain();
        let app = AppId::parse("confluence:6512").expect("an id");
        for number in 0..size {
            let mut iv = [0; 16];
            let (front, _) = iv.split_at_mut(4);
            front.copy_from_slice(&number.to_be_bytes());
            let key = NonceKey::of_request(&[1; 32], &iv);
            scene.verifier.nonces().record_now(&app, key, KEEP).expect("room for a nonce");
        }
        report.add("scale/nonces", "decide", Some(size.into()), scene.time().0, "ns");
        let live = scene.verifier.nonces().live();
        assert!(live > size, "{live} nonces are left of {size}: the run took too long");
    }
}
