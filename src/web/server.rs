//! Takes connections and serves them HTTP/1.1: how many at once, and for how long a slow one.
//!
//! TLS and newer versions of HTTP are for the proxy in front.

use std::convert::Infallible;
use std::future::pending;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::{Service, ServiceExt};

use super::pace::Connection;
use crate::config::Config;

/// How long requests under way may go on after the signal to stop.
const GRACE: Duration = Duration::from_secs(35);
/// The largest head of a request, in bytes: its first line and all headers. Of these there may
/// be 100.
const MAX_HEAD: usize = 32 * 1024;
/// Files that the process opens beside its connections.
const OTHER_FILES: usize = 256;
/// What one connection too many is told.
const FULL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n\
    connection: close\r\n\r\n";

/// What connections may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How many there are at once.
    pub connections: usize,
    /// From connecting to the end of the first request's head.
    pub head: Duration,
    /// From the end of an answer to the end of the next request's head.
    pub idle: Duration,
    /// How long a reader may take nothing of an answer.
    pub stall: Duration,
}

impl Bounds {
    /// Those of the settings; fewer connections where the process may not open so many files.
    pub fn new(config: &Config) -> Self {
        let mut connections = config.max_connections;
        if let Some(most) = most_files().map(|files| files.saturating_sub(OTHER_FILES).max(1))
            && most < connections
        {
            tracing::warn!(
                wanted = connections,
                most,
                "fewer connections than max_connections: the process may not open so many files"
            );
            connections = most;
        }
        Self {
            connections,
            head: Duration::from_secs(config.head_timeout),
            idle: Duration::from_secs(config.idle_timeout),
            stall: Duration::from_secs(config.stall_timeout),
        }
    }
}

/// How many files this process may open, where the system tells.
fn most_files() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Serves until `stop`, and the requests under way to their end, but for those that take longer
/// than half a minute.
pub async fn serve<S>(listener: TcpListener, service: S, bounds: Bounds, stop: CancellationToken)
where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let places = Arc::new(Semaphore::new(bounds.connections));
    let connections = TaskTracker::new();
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = stop.cancelled() => break,
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            refuse(stream);
            continue;
        };
        let (service, stop) = (service.clone(), stop.clone());
        connections.spawn(async move {
            hold(stream, peer, service, bounds, stop).await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(GRACE, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not come to their end");
    }
}

/// The next connection.
async fn accept(listener: &TcpListener) -> (TcpStream, SocketAddr) {
    use std::io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The other end is gone already.
            Err(error)
                if matches!(
                    error.kind(),
                    ConnectionAborted | ConnectionRefused | ConnectionReset
                ) => {}
            // No more files may be opened, perhaps: others must be closed first.
            Err(error) => {
                tracing::error!(%error, "cannot take a connection");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Tells a connection that there is no place for it. Nothing here waits.
fn refuse(stream: TcpStream) {
    metrics::counter!("zoco_connections_refused_total").increment(1);
    let Ok(mut stream) = stream.into_std() else {
        return;
    };
    // What has come is taken first: closing on it would tear the answer away from its reader.
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write(FULL.as_bytes());
}

/// Serves a connection to its end.
async fn hold<S>(
    stream: TcpStream,
    peer: SocketAddr,
    service: S,
    bounds: Bounds,
    stop: CancellationToken,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    // Answers are written whole: waiting for more to send with them only costs time.
    let _ = stream.set_nodelay(true);
    let has_asked = Arc::new(AtomicBool::new(false));
    let noted = has_asked.clone();
    let answer = service_fn(move |request: hyper::Request<Incoming>| {
        noted.store(true, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        service.clone().oneshot(request)
    });
    let io = TokioIo::new(Connection::new(stream, bounds.stall));
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(bounds.idle)
            .max_header_size(MAX_HEAD)
            .serve_connection(io, answer)
    );
    let served = async {
        tokio::select! {
            _ = connection.as_mut() => return,
            () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = connection.await;
    };
    let silent = async {
        tokio::time::sleep(bounds.head).await;
        if has_asked.load(Ordering::Relaxed) {
            pending::<()>().await;
        }
    };
    tokio::select! {
        () = served => {}
        () = silent => {}
    }
}
