use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;

use super::BoxError;
use super::gather::{Ungathered, gather};

pin_project! {
    /// The body of an answer that went through the layer: the handler's, or one that the layer holds as a whole.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        form: Form<B>,
    }
}

pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum Form<B> {
        Handler { #[pin] body: B },
        Whole { #[pin] content: Full<Bytes> },
    }
}

impl<B> ResponseBody<B> {
    pub(crate) fn handler(body: B) -> Self {
        Self { form: Form::Handler { body } }
    }

    pub(crate) fn whole(content: impl Into<Bytes>) -> Self {
        Self { form: Form::Whole { content: Full::new(content.into()) } }
    }
}

impl<B> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::whole(Bytes::new())
    }
}

impl<B> Body for ResponseBody<B>
where
    B: Body<Data = Bytes>,
{
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().form.project() {
            Projected::Handler { body } => body.poll_frame(context),
            Projected::Whole { content } => content.poll_frame(context).map_err(|never| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.form {
            Form::Handler { body } => body.is_end_stream(),
            Form::Whole { content } => content.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.form {
            Form::Handler { body } => body.size_hint(),
            Form::Whole { content } => content.size_hint(),
        }
    }
}

/// The whole content of an answer.
///
/// # Errors
/// When the handler's body fails, or is longer than it said.
pub(crate) async fn whole<B>(body: B, limit: u64) -> Result<Bytes, BoxError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    gather(body, limit).await.map_err(|why| match why {
        Ungathered::Body(error) => error.into(),
        Ungathered::TooLong => BoxError::from("the content is longer than it said"),
    })
}
