//! A `tracing` subscriber that writes down all it is told.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::heard::heard_by;

#[derive(Clone, Debug, Default)]
pub(crate) struct Recorder(Arc<Mutex<String>>);

impl Recorder {
    /// What was recorded while this ran, at every level.
    pub(crate) fn of(run: impl FnOnce()) -> String {
        let recorder = Self::default();
        heard_by(tracing_subscriber::registry().with(recorder.clone()), run);
        recorder.0.lock().unwrap().clone()
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, _: &Id, _: Context<'_, S>) {
        attributes.record(&mut self.clone());
    }

    fn on_record(&self, _: &Id, values: &Record<'_>, _: Context<'_, S>) {
        values.record(&mut self.clone());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        event.record(&mut self.clone());
    }
}

impl Visit for Recorder {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let mut text = self.0.lock().unwrap();
        writeln!(text, "{field}={value:?}").unwrap();
        writeln!(text, "{field}={value:#?}").unwrap();
    }
}
