//! Takes connections and serves HTTP/1 on them.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::Service as _;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::server::graceful::Watcher;
use hyper_util::service::TowerToHyperService;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// How long nothing is taken after the system could not give a connection: it has run out of something.
const PAUSE: Duration = Duration::from_millis(200);

/// What makes of a connection one that HTTP goes over.
pub(super) trait Accept: Clone + Send + Sync + 'static {
    type Stream: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Whether nobody on the way can read it.
    const SECURE: bool;

    fn accept(&self, stream: TcpStream) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A connection as it is.
#[derive(Clone)]
pub(super) struct Plain;

impl Accept for Plain {
    type Stream = TcpStream;

    const SECURE: bool = false;

    async fn accept(&self, stream: TcpStream) -> io::Result<TcpStream> {
        Ok(stream)
    }
}

/// Serves until `stop` is told or gone, then until the answers that are under way have been given.
pub(super) async fn serve(listener: TcpListener, accept: impl Accept, app: Router, mut stop: oneshot::Receiver<()>) {
    let connections = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            _ = &mut stop => break,
        };
        match taken {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, accept.clone(), app.clone(), connections.watcher()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    _ = &mut stop => break,
                }
            }
        }
    }
    // From now on a client is refused at once instead of waiting for nobody.
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, accept: impl Accept, app: Router, watcher: Watcher) {
    // A matter of speed only.
    let _ = stream.set_nodelay(true);
    let stream = match accept.accept(stream).await {
        Ok(stream) => stream,
        Err(error) => return tracing::debug!(%peer, %error, "no TLS"),
    };
    let app = TowerToHyperService::new(app);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(ConnectInfo(peer));
        app.call(request)
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    // What a client does to its connection is its own affair.
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%peer, %error, "connection broken");
    }
}
