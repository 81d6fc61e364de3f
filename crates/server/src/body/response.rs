use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderValue, Method, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;
use taa_core::fields;
use taa_core::request::ContentDigest;

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

/// Sets `Content-Digest` when the whole content is known and small enough; none on HEAD, 204 and 304 (wire document,
/// section 6). A digest the handler made for a longer content stays as it is.
///
/// # Errors
/// When the handler's body fails, or is longer than it said.
pub(crate) async fn with_digest<B>(
    head: &mut Parts,
    body: ResponseBody<B>,
    method: &Method,
    limit: u64,
) -> Result<ResponseBody<B>, BoxError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    if *method == Method::HEAD || matches!(head.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
        head.headers.remove(fields::CONTENT_DIGEST);
        return Ok(body);
    }
    if body.size_hint().exact().is_none_or(|length| length > limit) {
        return Ok(body);
    }
    let content = gather(body, limit).await.map_err(|why| match why {
        Ungathered::Body(error) => error.into(),
        Ungathered::TooLong => BoxError::from("the content is longer than it said"),
    })?;
    let digest = ContentDigest::of(&content).to_field();
    // The text is ASCII without control characters.
    let value = HeaderValue::try_from(digest)?;
    head.headers.insert(fields::CONTENT_DIGEST, value);
    Ok(ResponseBody::whole(content))
}
