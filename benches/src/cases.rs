use std::sync::Arc;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput};
use http::request::Parts;
use taa_core::crypto::{AwsLc, CryptoProvider, RustCrypto};

/// Both providers.
#[must_use]
pub fn providers() -> [Arc<dyn CryptoProvider>; 2] {
    [Arc::new(AwsLc), Arc::new(RustCrypto)]
}

/// The head of a request as an application makes it, with the few fields that HTTP clients add.
///
/// # Panics
/// When the URL is none.
#[must_use]
pub fn parts(method: &str, url: &str) -> Parts {
    let request = http::Request::builder()
        .method(method)
        .uri(url)
        .header(http::header::ACCEPT, "application/json")
        .header(http::header::USER_AGENT, "wiki/1.0")
        .body(())
        .expect("a request");
    request.into_parts().0
}

/// How long one operation takes, about: it decides how many samples are taken.
#[derive(Clone, Copy, Debug)]
pub enum Speed {
    /// Microseconds.
    Symmetric,
    /// A private or public operation with RSA.
    Rsa,
}

impl Speed {
    /// Opens a group that counts one element for each operation.
    #[must_use]
    pub fn group<'c>(self, criterion: &'c mut Criterion, name: &str) -> BenchmarkGroup<'c, WallTime> {
        let mut group = criterion.benchmark_group(name);
        let (samples, warm_up, measurement) = match self {
            Self::Symmetric => (50, 1_000, 3_000),
            Self::Rsa => (20, 500, 2_000),
        };
        group
            .sample_size(samples)
            .warm_up_time(Duration::from_millis(warm_up))
            .measurement_time(Duration::from_millis(measurement))
            .throughput(Throughput::Elements(1));
        group
    }
}
