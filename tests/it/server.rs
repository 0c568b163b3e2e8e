//! The server on a real port: slow clients, too many of them, strange requests, stopping.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Layer;
use tower_http::normalize_path::NormalizePathLayer;
use zoco::web::server::{Bounds, serve};

use crate::support::process::PATIENCE;
use crate::support::{TestApp, both, plain, runtime};

const SHORT: Duration = Duration::from_millis(50);

/// Bounds that nothing here meets.
const WIDE: Bounds = Bounds {
    connections: 100,
    head: PATIENCE,
    idle: PATIENCE,
    stall: PATIENCE,
};

/// A server that runs.
struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    done: JoinHandle<()>,
}

async fn start(router: Router, bounds: Bounds) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let service = NormalizePathLayer::trim_trailing_slash().layer(router);
    let done = tokio::spawn(serve(listener, service, bounds, stop.clone()));
    Running {
        address,
        stop,
        done,
    }
}

impl Running {
    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends something and gives all that comes until the server hangs up.
    async fn ask(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        // It may hang up in the middle of it.
        let _ = stream.write_all(request.as_ref()).await;
        rest_of(&mut stream).await
    }

    /// Stops it; fails when that takes too long.
    async fn stop(self) {
        self.stop.cancel();
        timeout(PATIENCE, self.done).await.unwrap().unwrap();
    }
}

/// All that comes until the server hangs up; fails when it does not.
async fn rest_of(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut bytes)).await;
    // A connection that is torn down has been read to its end as well.
    let _ = read.expect("the server did not hang up");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads until a text has come.
async fn read_until(stream: &mut TcpStream, text: &str) -> String {
    let mut bytes = Vec::new();
    while !String::from_utf8_lossy(&bytes).contains(text) {
        let mut piece = [0; 4096];
        let count = timeout(PATIENCE, stream.read(&mut piece))
            .await
            .unwrap()
            .unwrap();
        assert!(
            count > 0,
            "it ended with {}",
            String::from_utf8_lossy(&bytes)
        );
        bytes.extend(&piece[..count]);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hello() -> Router {
    Router::new().route("/", get(|| async { "hello" }))
}

const ASK: &str = "GET / HTTP/1.1\r\nhost: shop\r\n\r\n";
const ASK_ONCE: &str = "GET / HTTP/1.1\r\nhost: shop\r\nconnection: close\r\n\r\n";

plain! {
    fn who_never_asks_is_hung_up_on() {
        runtime().block_on(async {
            let server = start(hello(), Bounds { head: SHORT, ..WIDE }).await;
            for beginning in ["", "G", "GET / HTTP/1.1\r\nhost: sh", "GET / HTTP/1.1\r\nhost: shop\r\n"] {
                assert_eq!(server.ask(beginning).await, "", "{beginning}");
            }
            assert!(server.ask(ASK_ONCE).await.ends_with("hello"));
            server.stop().await;
        });
    }

    fn who_does_not_go_on_is_hung_up_on() {
        runtime().block_on(async {
            let server = start(hello(), Bounds { idle: SHORT, ..WIDE }).await;
            let said = server.ask(ASK).await;
            assert_eq!(said.matches("HTTP/1.1 200").count(), 1, "{said}");
            let said = server.ask(format!("{ASK}{ASK}GET / HTT")).await;
            assert_eq!(said.matches("HTTP/1.1 200").count(), 2, "{said}");
            server.stop().await;
        });
    }

    fn one_connection_too_many_is_told_so() {
        runtime().block_on(async {
            let server = start(hello(), Bounds { connections: 1, ..WIDE }).await;
            let mut first = server.connect().await;
            first.write_all(ASK.as_bytes()).await.unwrap();
            read_until(&mut first, "hello").await;
            let refused = rest_of(&mut server.connect().await).await;
            assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("retry-after: 1"), "{refused}");
            // The first is served all the same, and its place is free when it goes.
            first.write_all(ASK.as_bytes()).await.unwrap();
            read_until(&mut first, "hello").await;
            drop(first);
            let served = async {
                while !server.ask(ASK_ONCE).await.ends_with("hello") {}
            };
            timeout(PATIENCE, served).await.unwrap();
            server.stop().await;
        });
    }

    fn who_does_not_read_is_hung_up_on() {
        const PIECES: usize = 1024;
        const PIECE: usize = 64 * 1024;
        runtime().block_on(async {
            // An answer larger than what any buffer on the way takes; it tells when it is dropped.
            let (gone, told) = oneshot::channel::<()>();
            let gone = Arc::new(Mutex::new(Some(gone)));
            let large = move || async move {
                let guard = gone.lock().unwrap().take();
                let pieces = stream::iter(0..PIECES).map(move |_| {
                    let _held = &guard;
                    Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; PIECE]))
                });
                Body::from_stream(pieces)
            };
            let router = Router::new().route("/", get(large));
            let server = start(router, Bounds { stall: Duration::from_millis(300), ..WIDE }).await;
            let socket = TcpSocket::new_v4().unwrap();
            socket.set_recv_buffer_size(4096).unwrap();
            let mut reader = socket.connect(server.address).await.unwrap();
            reader.write_all(ASK.as_bytes()).await.unwrap();
            let told = timeout(PATIENCE, told).await.expect("the answer is still held");
            assert!(told.is_err(), "it was dropped");
            // Somebody who reads gets all of it.
            let said = server.ask(ASK_ONCE).await;
            assert!(said.len() > PIECES * PIECE, "{} bytes", said.len());
            server.stop().await;
        });
    }

    fn heads_are_bounded() {
        runtime().block_on(async {
            let server = start(hello(), WIDE).await;
            let long = "x".repeat(40 * 1024);
            let many: String = (0..150).map(|number| format!("x-{number}: 1\r\n")).collect();
            for request in [
                format!("GET / HTTP/1.1\r\nhost: shop\r\nx: {long}\r\n\r\n"),
                format!("GET /{long} HTTP/1.1\r\nhost: shop\r\n\r\n"),
                format!("GET / HTTP/1.1\r\nhost: shop\r\n{many}\r\n"),
            ] {
                let said = server.ask(request).await;
                assert!(said.starts_with("HTTP/1.1 431 ") || said.starts_with("HTTP/1.1 414 "), "{said}");
            }
            server.stop().await;
        });
    }

    fn a_stop_lets_the_request_under_way_come_to_its_end() {
        runtime().block_on(async {
            let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let (told, waits) = (begun.clone(), go_on.clone());
            let slow = move || async move {
                told.notify_one();
                waits.notified().await;
                "done"
            };
            let server = start(Router::new().route("/", get(slow)), WIDE).await;
            let mut idle = server.connect().await;
            let mut asking = server.connect().await;
            asking.write_all(ASK.as_bytes()).await.unwrap();
            begun.notified().await;
            server.stop.cancel();
            assert_eq!(rest_of(&mut idle).await, "");
            go_on.notify_one();
            assert!(rest_of(&mut asking).await.ends_with("done"));
            assert!(TcpStream::connect(server.address).await.is_err());
            server.stop().await;
        });
    }
}

/// A request whose body is announced and does not come, but for its beginning.
fn half(path: &str, kind: &str, headers: &str, beginning: &str) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: shop\r\ncontent-type: {kind}\r\ncontent-length: 1000\r\n\
         {headers}\r\n{beginning}"
    )
}

both! {
    async fn bodies_that_do_not_come_are_given_up(app: TestApp) {
        app.admin().await;
        let admin = app.api().signed_in("admin@example.com").await;
        let (_, token) = admin.headers.last().unwrap();
        let token = format!("authorization: {token}\r\n");
        let app = app.with_settings(|config| config.stall_timeout = 1).await;
        let server = start(zoco::routes::router((*app).clone()), WIDE).await;
        let form = "application/x-www-form-urlencoded";
        let files = "multipart/form-data; boundary=b";
        let part = "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\nname,pri";
        let requests = [
            half("/api/auth/login", "application/json", "", "{\"email\": \"a"),
            half("/api/cart/items", "application/json", "idempotency-key: slow\r\n", "{"),
            half("/api/cart/items", "application/json", "expect: 100-continue\r\n", ""),
            half("/api/admin/imports", files, &token, part),
            half("/sign-in", form, "sec-fetch-site: same-origin\r\n", "email=a"),
        ];
        let said = futures_util::future::join_all(requests.iter().map(|request| server.ask(request))).await;
        for (said, request) in said.iter().zip(&requests) {
            let said = said.trim_start_matches("HTTP/1.1 100 Continue\r\n\r\n");
            assert!(said.starts_with("HTTP/1.1 408 "), "{request}: {said}");
            assert!(said.contains("connection: close\r\n"), "{said}");
            let kind = if request.starts_with("POST /api/") { "application/problem+json" } else { "text/html" };
            assert!(said.contains(kind), "{said}");
        }
        // The key of a request that never came whole is free.
        let body = "{\"variant_id\": 1}";
        let whole = format!(
            "POST /api/cart/items HTTP/1.1\r\nhost: shop\r\nconnection: close\r\nidempotency-key: slow\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let said = server.ask(whole).await;
        assert!(!said.starts_with("HTTP/1.1 4") || said.starts_with("HTTP/1.1 422 ") || said.starts_with("HTTP/1.1 404 "), "{said}");
        assert!(!said.contains("idempotent-replayed"), "{said}");
        server.stop().await;
    }

    async fn strange_requests_are_harmless(app: TestApp) {
        let server = start(zoco::routes::router((*app).clone()), WIDE).await;
        let close = "connection: close\r\n\r\n";
        for (request, status) in [
            (format!("GET /health/live HTTP/1.0\r\n{close}"), 200),
            (format!("GET /products HTTP/1.0\r\n{close}"), 200),
            (format!("GET /products HTTP/1.1\r\n{close}"), 400),
            (format!("GET /api/products HTTP/1.1\r\nhost: a\r\nhost: b\r\n{close}"), 400),
            (format!("GET /api/products HTTP/1.1\r\nhost: a b\r\n{close}"), 400),
            (format!("GET http://evil.example/account HTTP/1.1\r\nhost: shop\r\n{close}"), 303),
            (format!("GET http://evil.example/account HTTP/1.1\r\n{close}"), 400),
            (format!("GET /account HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\n{close}"), 303),
            (format!("GET //evil.example/ HTTP/1.1\r\nhost: shop\r\n{close}"), 404),
            (format!("OPTIONS * HTTP/1.1\r\nhost: shop\r\n{close}"), 404),
            (format!("CONNECT evil.example:443 HTTP/1.1\r\nhost: shop\r\n{close}"), 404),
            (format!("TRACE / HTTP/1.1\r\nhost: shop\r\n{close}"), 405),
            (format!("NONSENSE / HTTP/1.1\r\nhost: shop\r\n{close}"), 405),
            (format!("GET /\0 HTTP/1.1\r\nhost: shop\r\n{close}"), 400),
            (format!("GET / HTTP/1.1\r\nhost: shop\r\nx: a\0b\r\n{close}"), 400),
            (format!("GET / HTTP/1.1\r\nhost: shop\r\n folded: x\r\n{close}"), 400),
            (format!("POST /api/cart/items HTTP/1.1\r\nhost: shop\r\ncontent-length: 1\r\ncontent-length: 2\r\n{close}"), 400),
            (format!("POST /api/cart/items HTTP/1.1\r\nhost: shop\r\ncontent-length: -1\r\n{close}"), 400),
            (format!("POST /api/cart/items HTTP/1.1\r\nhost: shop\r\ntransfer-encoding: gzip\r\n{close}"), 400),
            (format!("GET / HTTP/9.9\r\nhost: shop\r\n{close}"), 400),
            ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n".to_owned(), 400),
        ] {
            let said = server.ask(&request).await;
            assert!(said.starts_with(&format!("HTTP/1.1 {status} ")) || said.starts_with(&format!("HTTP/1.0 {status} ")), "{request:?}: {said}");
            let head = said.split("\r\n\r\n").next().unwrap_or_default();
            assert!(!head.contains("evil"), "{request:?}: {said}");
            assert!(!said.contains("//evil.example") || request.contains("//evil"), "{request:?}: {said}");
        }
        server.stop().await;
    }
}
