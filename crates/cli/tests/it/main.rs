//! The command against stores in SQLite and peers that listen on this machine.

// `cfg(test)` tells clippy that these are tests.
#[cfg(test)]
mod doctor;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod home;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod manual;
#[cfg(test)]
mod older;
#[cfg(test)]
mod peers;
#[cfg(test)]
mod place;
#[cfg(test)]
mod sign;
#[cfg(test)]
mod tampered;
#[cfg(test)]
#[cfg(unix)]
mod terminal;
#[cfg(test)]
mod trail;
