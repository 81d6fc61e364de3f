use std::time::Duration;

use taa_core::time::{Clock, SystemClock};

use crate::report::is_smoke_run;

/// Nanoseconds of one operation.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd)]
pub struct Nanos(pub f64);

/// Times batches of operations on things that were made before: for cases whose set-up takes too long to be made again
/// for every sample, as criterion would.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    batches: u32,
    batch: u32,
    clock: SystemClock,
}

impl Stopwatch {
    /// Takes so many batches of so many operations; in a smoke run one batch of one.
    #[must_use]
    pub fn new(batches: u32, batch: u32) -> Self {
        let (batches, batch) = if is_smoke_run() { (1, 1) } else { (batches, batch) };
        Self { batches, batch, clock: SystemClock::new() }
    }

    /// The median over the batches of the mean in a batch. `make` and dropping are not timed; the first batch warms up
    /// and does not count.
    pub fn time<T, R>(&self, mut make: impl FnMut() -> T, mut operation: impl FnMut(&mut T) -> R) -> Nanos {
        let mut means: Vec<f64> = (0..=self.batches)
            .map(|_| {
                let mut inputs: Vec<T> = (0..self.batch).map(|_| make()).collect();
                let mut outputs = Vec::with_capacity(inputs.len());
                let start = self.clock.monotonic();
                for input in &mut inputs {
                    outputs.push(operation(input));
                }
                let took = self.clock.monotonic().saturating_sub(start);
                drop(outputs);
                nanos(took) / f64::from(self.batch)
            })
            .skip(1)
            .collect();
        means.sort_by(f64::total_cmp);
        Nanos(means.get(means.len() / 2).copied().unwrap_or_default())
    }
}

fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}
