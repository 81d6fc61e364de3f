use std::pin::pin;

use bytes::{Bytes, BytesMut};
use http_body::Body;
use http_body_util::BodyExt;

/// Why a content was not read to its end.
pub(super) enum Ungathered<E> {
    /// The body itself failed.
    Body(E),
    /// There is more of it.
    TooLong,
}

/// The whole content of a body, if it is no longer than `limit`. The trailer section is ignored.
///
/// Most contents come in one frame, and that is passed on as it is. Only several are copied together.
pub(super) async fn gather<B>(body: B, limit: u64) -> Result<Bytes, Ungathered<B::Error>>
where
    B: Body<Data = Bytes>,
{
    let mut body = pin!(body);
    let (mut only, mut joined, mut length) = (Bytes::new(), BytesMut::new(), 0_u64);
    // A body that knows its length has no end to wait for.
    while !body.is_end_stream() {
        let Some(frame) = body.frame().await else { break };
        let Ok(data) = frame.map_err(Ungathered::Body)?.into_data() else { continue };
        length = length.saturating_add(u64::try_from(data.len()).unwrap_or(u64::MAX));
        if length > limit {
            return Err(Ungathered::TooLong);
        }
        if only.is_empty() && joined.is_empty() {
            only = data;
            continue;
        }
        joined.extend_from_slice(&std::mem::take(&mut only));
        joined.extend_from_slice(&data);
    }
    Ok(if joined.is_empty() { only } else { joined.freeze() })
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::task::{Context, Poll, Waker};

    use futures_util::stream;
    use http::HeaderMap;
    use http_body::Frame;
    use http_body_util::{Empty, Full, StreamBody};

    use super::*;

    fn gathered(body: impl Body<Data = Bytes, Error = Infallible>, limit: u64) -> Option<Bytes> {
        match pin!(gather(body, limit)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(gathered) => gathered.ok(),
            Poll::Pending => panic!("it waits"),
        }
    }

    fn frames(frames: &[&'static str]) -> impl Body<Data = Bytes, Error = Infallible> + use<> {
        let data = frames.iter().map(|data| Frame::data(Bytes::from(*data)));
        let all: Vec<_> = data.chain([Frame::trailers(HeaderMap::new())]).map(Ok).collect();
        StreamBody::new(stream::iter(all))
    }

    #[test]
    fn the_whole_content_up_to_the_limit() {
        for of in [&["", "abc", ""][..], &["abc"], &["ab", "c"], &["a", "", "b", "c"]] {
            assert_eq!(gathered(frames(of), 3).unwrap(), "abc", "{of:?}");
            assert_eq!(gathered(frames(of), 2), None, "{of:?}");
        }
        assert_eq!(gathered(frames(&[""]), 0).unwrap(), "");
        assert_eq!(gathered(Empty::new(), 0).unwrap(), "");
    }

    #[test]
    fn one_frame_is_not_copied() {
        let content = Bytes::from(vec![b'x'; 10]);
        let whole = gathered(Full::new(content.clone()), 10).unwrap();
        assert_eq!(whole.as_ptr(), content.as_ptr());
    }
}
