//! Who makes a change, as the audit trail names them.

use taa_store::model::Actor;

/// `cli:` and the name of the user this process runs as, by the system's user base and not by the environment.
pub(crate) fn current() -> Actor {
    let name = whoami::username().unwrap_or_else(|_| number());
    Actor::new(&format!("cli:{name}"))
}

/// A user without a name, as in many containers.
#[cfg(target_os = "linux")]
fn number() -> String {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").map_or_else(|_| "?".to_owned(), |own| format!("uid {}", own.uid()))
}

#[cfg(not(target_os = "linux"))]
fn number() -> String {
    "?".to_owned()
}
