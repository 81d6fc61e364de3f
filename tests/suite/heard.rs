//! Hearing what is said on one thread, while other tests run on others.

use tracing::Dispatch;
use tracing::subscriber::{NoSubscriber, Subscriber, with_default};

/// Runs this with `subscriber` told of every event.
pub(crate) fn heard_by(subscriber: impl Subscriber + Send + Sync + 'static, run: impl FnOnce()) {
    // While there is but one dispatcher, tracing asks that of the thread which first meets an event whether it is
    // wanted: another test, without a subscriber, would answer for this one.
    let _second = Dispatch::new(NoSubscriber::default());
    with_default(subscriber, run);
}
