//! How slow the other end of a connection may be: sending a body, or taking an answer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep_until};

/// Bytes in a second that somebody must at least send or take, looked at as a whole.
const RATE: u64 = 1024;

/// Watches something that is to move: it may stand still for a while at a time, and must not be
/// slower than [`RATE`] by more than that.
struct Pace {
    stall: Duration,
    begun: Instant,
    moved_at: Instant,
    bytes: u64,
    alarm: Pin<Box<Sleep>>,
}

impl Pace {
    fn new(stall: Duration) -> Self {
        let now = Instant::now();
        Self {
            stall,
            begun: now,
            moved_at: now,
            bytes: 0,
            alarm: Box::pin(sleep_until(now + stall)),
        }
    }

    fn moved(&mut self, bytes: usize, now: Instant) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        self.moved_at = now;
    }

    /// When patience ends, if nothing more moves.
    fn deadline(&self) -> Instant {
        let earned = Duration::from_secs(self.bytes / RATE);
        (self.moved_at + self.stall).min(self.begun + self.stall + earned)
    }

    /// Ready when patience has ended.
    fn poll_end(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let deadline = self.deadline();
        if self.alarm.deadline() != deadline {
            self.alarm.as_mut().reset(deadline);
        }
        self.alarm.as_mut().poll(context)
    }
}

/// A connection whose other end must take what it is sent: who reads too slowly is hung up on.
pub(super) struct Connection {
    stream: TcpStream,
    stall: Duration,
    /// There from the moment that something could not be sent at once.
    pace: Option<Pace>,
    /// Whether the last try to send had to wait.
    waited: bool,
}

impl Connection {
    /// `stall`: how long the other end may take nothing.
    pub(super) fn new(stream: TcpStream, stall: Duration) -> Self {
        Self {
            stream,
            stall,
            pace: None,
            waited: false,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        match Pin::new(&mut this.stream).poll_write(context, bytes) {
            Poll::Ready(Ok(count)) => {
                match &mut this.pace {
                    Some(pace) if this.waited => pace.moved(count, Instant::now()),
                    // Twice in a row without waiting: the other end keeps up again.
                    pace => *pace = None,
                }
                this.waited = false;
                Poll::Ready(Ok(count))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                this.waited = true;
                let pace = this.pace.get_or_insert_with(|| Pace::new(this.stall));
                ready!(pace.poll_end(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The body of a request that must keep coming.
struct PacedBody {
    body: Body,
    pace: Pace,
    late: Arc<AtomicBool>,
}

/// Whether a body was given up because it came too slowly.
pub(super) struct Late(Arc<AtomicBool>);

impl Late {
    pub(super) fn is_late(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The same body, which breaks off when it comes too slowly. `stall`: how long nothing may come.
pub(super) fn paced(body: Body, stall: Duration) -> (Body, Late) {
    let late = Arc::new(AtomicBool::new(false));
    if body.is_end_stream() {
        return (body, Late(late));
    }
    let paced = PacedBody {
        body,
        pace: Pace::new(stall),
        late: late.clone(),
    };
    (Body::new(paced), Late(late))
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(context) {
            Poll::Ready(frame) => {
                if let Some(Ok(frame)) = &frame {
                    let bytes = frame.data_ref().map_or(0, Bytes::len);
                    this.pace.moved(bytes, Instant::now());
                }
                Poll::Ready(frame)
            }
            Poll::Pending => {
                ready!(this.pace.poll_end(context));
                this.late.store(true, Ordering::Relaxed);
                let error = io::Error::from(io::ErrorKind::TimedOut);
                Poll::Ready(Some(Err(axum::Error::new(error))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn drips_buy_no_time() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::new(20 * second);
        let begun = pace.begun;
        let after = |pace: &Pace| (pace.deadline() - begun).as_secs();
        assert_eq!(after(&pace), 20, "nothing came");
        for number in 1..20 {
            pace.moved(1, begun + number * second);
        }
        assert_eq!(after(&pace), 20, "a byte a second");
        pace.moved(10 * 1024, begun + 19 * second);
        assert_eq!(after(&pace), 30, "ten seconds' worth came");
        pace.moved(1024 * 1024, begun + 25 * second);
        assert_eq!(after(&pace), 45, "fast, and then nothing more");
    }
}
