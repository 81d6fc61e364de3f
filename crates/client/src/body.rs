use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;
use sha2::{Digest, Sha256};
use taa_core::request::ContentDigest;

/// How the content of an answer is to be checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyCheck {
    /// It must have this digest, which the answer proves.
    Digest(ContentDigest),
    /// It must be empty: there is no digest, and the server's record demands one.
    Empty,
    /// Only TLS protects it.
    Nothing,
}

pin_project! {
    /// The content of an answer, checked as it is read.
    ///
    /// Whoever reads it must read to its end and must not act on it before: an error at the end means that none of it
    /// was what the server sent. Content of known length is checked before its last piece is given out.
    pub struct VerifiedBody<B> {
        #[pin]
        inner: B,
        check: BodyCheck,
        hasher: Sha256,
        state: State,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Reading,
    Checked,
    Failed,
}

impl<B> VerifiedBody<B> {
    /// Wraps the content of an answer.
    pub fn new(inner: B, check: BodyCheck) -> Self {
        Self { inner, check, hasher: Sha256::new(), state: State::Reading }
    }
}

impl<B: Body<Data = Bytes>> Body for VerifiedBody<B> {
    type Data = Bytes;
    type Error = BodyError<B::Error>;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let mut this = self.project();
        if *this.state == State::Failed {
            return Poll::Ready(None);
        }
        let frame = match this.inner.as_mut().poll_frame(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(None) => None,
            Poll::Ready(Some(Ok(frame))) => Some(frame),
            Poll::Ready(Some(Err(error))) => {
                *this.state = State::Failed;
                return Poll::Ready(Some(Err(BodyError::Inner(error))));
            }
        };
        // Nothing comes after trailers, nor when the inner body says that this was all.
        let last = frame.as_ref().is_none_or(Frame::is_trailers) || this.inner.is_end_stream();
        let mut checked = match frame.as_ref().and_then(Frame::data_ref) {
            Some(data) => absorb(*this.check, this.hasher, data),
            None => Ok(()),
        };
        if last && checked.is_ok() && *this.state == State::Reading {
            checked = finish(*this.check, this.hasher);
            *this.state = State::Checked;
        }
        if let Err(error) = checked {
            *this.state = State::Failed;
            return Poll::Ready(Some(Err(BodyError::Digest(error))));
        }
        Poll::Ready(frame.map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        match self.state {
            // An empty body may be over without having been polled; only without a check may it not be polled at all.
            State::Reading => self.check == BodyCheck::Nothing && self.inner.is_end_stream(),
            State::Checked => self.inner.is_end_stream(),
            State::Failed => true,
        }
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

fn absorb(check: BodyCheck, hasher: &mut Sha256, data: &[u8]) -> Result<(), BodyDigestError> {
    match check {
        BodyCheck::Digest(_) => hasher.update(data),
        BodyCheck::Empty if !data.is_empty() => return Err(BodyDigestError::Absent),
        BodyCheck::Empty | BodyCheck::Nothing => {}
    }
    Ok(())
}

fn finish(check: BodyCheck, hasher: &mut Sha256) -> Result<(), BodyDigestError> {
    let BodyCheck::Digest(digest) = check else { return Ok(()) };
    let found = ContentDigest::from_bytes(hasher.finalize_reset().into());
    if digest.same_as(&found) { Ok(()) } else { Err(BodyDigestError::Wrong) }
}

impl<B: fmt::Debug> fmt::Debug for VerifiedBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifiedBody({:?}, {:?})", self.inner, self.check)
    }
}

/// Why content could not be read, or must not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError<E> {
    /// It is not what the server sent.
    #[error(transparent)]
    Digest(#[from] BodyDigestError),
    /// It could not be read.
    #[error("the content could not be read")]
    Inner(#[source] E),
}

/// Why content must not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyDigestError {
    /// There is content whose proven digest is of no use, or that has none although the server's record demands one.
    #[error("the content has no proven digest that could be checked")]
    Absent,
    /// It does not match the proven digest: it was altered, or ended early.
    #[error("the content does not match its proven digest")]
    Wrong,
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;

    use http_body_util::{BodyExt, Full};

    use super::*;

    /// Pieces of unknown length together.
    struct Pieces(VecDeque<&'static str>);

    impl Body for Pieces {
        type Data = Bytes;
        type Error = Infallible;
        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            Poll::Ready(self.0.pop_front().map(|piece| Ok(Frame::data(Bytes::from(piece)))))
        }
    }

    fn digest() -> BodyCheck {
        BodyCheck::Digest(ContentDigest::of(b"hello"))
    }

    async fn read<B: Body<Data = Bytes>>(body: B, check: BodyCheck) -> Result<Bytes, BodyError<B::Error>> {
        VerifiedBody::new(body, check).collect().await.map(http_body_util::Collected::to_bytes)
    }

    #[tokio::test]
    async fn good() {
        for check in [digest(), BodyCheck::Nothing] {
            assert_eq!(read(Full::from("hello"), check).await.unwrap(), "hello");
            assert_eq!(read(Pieces(["he", "", "llo"].into()), check).await.unwrap(), "hello");
        }
        assert_eq!(read(Full::from(""), BodyCheck::Empty).await.unwrap(), "");
        let empty = BodyCheck::Digest(ContentDigest::of(b""));
        assert_eq!(read(Full::from(""), empty).await.unwrap(), "");
    }

    #[tokio::test]
    async fn altered_or_too_short() {
        for bad in ["hellO", "hell", "helloo", ""] {
            let Err(BodyError::Digest(why)) = read(Full::from(bad), digest()).await else { panic!("{bad}") };
            assert_eq!(why, BodyDigestError::Wrong);
        }
        let Err(BodyError::Digest(why)) = read(Pieces(["he", "ll"].into()), digest()).await else { panic!() };
        assert_eq!(why, BodyDigestError::Wrong);
        let Err(BodyError::Digest(why)) = read(Full::from("x"), BodyCheck::Empty).await else { panic!() };
        assert_eq!(why, BodyDigestError::Absent);
    }

    #[tokio::test]
    async fn the_last_piece_is_held_back_when_the_length_is_known() {
        let mut body = VerifiedBody::new(Full::from("hellO"), digest());
        assert!(!body.is_end_stream());
        assert!(body.frame().await.unwrap().is_err(), "an error in place of the data");
        assert!(body.frame().await.is_none() && body.is_end_stream());
        // An empty body that is over before it was polled is not taken for checked.
        assert!(!VerifiedBody::new(Full::<Bytes>::from(""), digest()).is_end_stream());
    }
}
