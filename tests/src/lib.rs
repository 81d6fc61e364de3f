//! What the test suite is made of: a server without a network, naive models of the rules, and the runner of vector
//! files. The tests themselves are in `suite/`.

pub mod harness;
pub mod reference;
pub mod vectors;
