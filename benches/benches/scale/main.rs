//! What one decision costs as a server grows: with more applications, sessions, nonces, rules and proxies.
//!
//! One decision is the way from the fields to `Allowed` in a session that is open (`Verifier::decide`), on the tables of
//! the server layer. Making the tables takes longer than using them, so criterion is not used: each figure is the median
//! over batches of the mean in a batch. The whole takes about a minute and a half, most of it for keys and sessions.

mod applications;
mod hops;
mod nonces;
mod rules;
mod scene;
mod sessions;

use taa_benches::Report;

fn main() {
    let mut report = Report::new("scale");
    applications::measure(&mut report);
    sessions::measure(&mut report);
    nonces::measure(&mut report);
    rules::measure(&mut report);
    hops::measure(&mut report);
    report.write();
}
