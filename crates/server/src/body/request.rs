use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::Full;
use pin_project_lite::pin_project;
use sha2::{Digest, Sha256};
use taa_core::decision::Reason;
use taa_core::request::ContentDigest;

use super::BoxError;
use super::gather::{Ungathered, gather};

pin_project! {
    /// The body a handler behind the layer reads.
    ///
    /// Of a trusted request it is the content that was checked, or on a route with a verifying stream one whose end is
    /// an error when the digest differs. Of any other request it is the body that came in.
    #[derive(Debug)]
    pub struct RequestBody<B> {
        #[pin]
        form: Form<B>,
    }
}

pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum Form<B> {
        // Checked as a whole before the handler saw it.
        Checked { #[pin] content: Full<Bytes> },
        // As it came in.
        Untouched { #[pin] body: B },
        // Checked while it is read. In a box: every request is moved about with room for it.
        Verifying { #[pin] body: B, progress: Box<Progress> },
    }
}

impl<B> RequestBody<B> {
    pub(crate) fn untouched(body: B) -> Self {
        Self { form: Form::Untouched { body } }
    }

    pub(crate) fn checked(content: Bytes) -> Self {
        Self { form: Form::Checked { content: Full::new(content) } }
    }
}

/// How far a verifying stream has come.
#[derive(Debug)]
struct Progress {
    expected: ContentDigest,
    hash: Option<Sha256>,
    verdict: Verdict,
}

/// Shared between a verifying stream and the layer: whether the end was found good.
#[derive(Clone, Debug, Default)]
pub(crate) struct Verdict(Arc<AtomicBool>);

impl Verdict {
    pub(crate) fn is_good(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

impl Progress {
    fn update(&mut self, data: &[u8]) {
        if let Some(hash) = &mut self.hash {
            hash.update(data);
        }
    }

    /// At the end, once: compares.
    fn finish(&mut self) -> Result<(), ContentError> {
        let Some(hash) = self.hash.take() else { return Ok(()) };
        if !ContentDigest::from_bytes(hash.finalize().into()).same_as(&self.expected) {
            return Err(ContentError::Digest);
        }
        self.verdict.0.store(true, Ordering::Release);
        Ok(())
    }
}

/// Why reading a [`RequestBody`] failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The body itself failed.
    #[error("the content could not be read")]
    Body(#[source] BoxError),
    /// The content is not the one that was signed. Commit nothing of it.
    #[error("the content does not match its digest")]
    Digest,
}

impl<B> Body for RequestBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        match self.project().form.project() {
            Projected::Checked { content } => content.poll_frame(context).map_err(|never| match never {}),
            Projected::Untouched { body } => {
                body.poll_frame(context).map_err(|error| ContentError::Body(error.into()))
            }
            Projected::Verifying { mut body, progress } => {
                let frame = match ready!(body.as_mut().poll_frame(context)) {
                    Some(Ok(frame)) => frame,
                    Some(Err(error)) => return Poll::Ready(Some(Err(ContentError::Body(error.into())))),
                    None => return Poll::Ready(progress.finish().err().map(Err)),
                };
                if let Some(data) = frame.data_ref() {
                    progress.update(data);
                }
                // A reader that knows the length stops here and never asks for the end.
                if body.is_end_stream() {
                    progress.finish()?;
                }
                Poll::Ready(Some(Ok(frame)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.form {
            Form::Checked { content } => content.is_end_stream(),
            Form::Untouched { body } => body.is_end_stream(),
            Form::Verifying { body, progress } => progress.hash.is_none() && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.form {
            Form::Checked { content } => content.size_hint(),
            Form::Untouched { body } | Form::Verifying { body, .. } => body.size_hint(),
        }
    }
}

/// A body that is checked while the handler reads it, and the place where its end is noted.
pub(crate) fn verify_stream<B: Body>(body: B, expected: ContentDigest) -> (RequestBody<B>, Verdict) {
    let mut progress = Progress { expected, hash: Some(Sha256::new()), verdict: Verdict::default() };
    let verdict = progress.verdict.clone();
    if body.is_end_stream() {
        // Nothing will be read: judged by the handler's not being able to answer unless this is good.
        let _judged_by_verdict = progress.finish();
    }
    (RequestBody { form: Form::Verifying { body, progress: Box::new(progress) } }, verdict)
}

/// Step 12 for a body that is buffered: reads at most `limit` bytes and compares (wire document, section 4).
pub(crate) async fn check<B>(body: B, expected: Option<ContentDigest>, limit: usize) -> Result<Bytes, Reason>
where
    B: Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    let limit_u64 = u64::try_from(limit).unwrap_or(u64::MAX);
    if expected.is_some() && body.size_hint().lower() > limit_u64 {
        return Err(Reason::ContentTooLong);
    }
    // Without a digest there is nothing to read, and any content is too much.
    let most = if expected.is_some() { limit_u64 } else { 0 };
    let content = gather(body, most).await.map_err(|why| match why {
        Ungathered::Body(_) => Reason::ContentUnread,
        Ungathered::TooLong if expected.is_none() => Reason::DigestAbsent,
        Ungathered::TooLong => Reason::ContentTooLong,
    })?;
    match expected {
        Some(expected) if !expected.matches(&content) => Err(Reason::DigestWrong),
        _ => Ok(content),
    }
}
