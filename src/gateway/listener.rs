//! Takes connections, with TLS or without, and serves HTTP/1 on them.

use std::net::SocketAddr;
use std::sync::Arc;
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
use rustls::ServerConfig;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio_rustls::TlsAcceptor;

/// How long a client has to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long nothing is taken after the system could not give a connection: it has run out of something.
const PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop` is told or gone, then until the answers that are under way have been given.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    app: Router,
    mut stop: oneshot::Receiver<()>,
) {
    let tls = tls.map(TlsAcceptor::from);
    let connections = GracefulShutdown::new();
    loop {
        let taken = tokio::select! {
            taken = listener.accept() => taken,
            _ = &mut stop => break,
        };
        match taken {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, tls.clone(), app.clone(), connections.watcher()));
            }
            Err(error) => {
                tracing::warn!(%error, "cannot take a connection");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
    // From now on a client is refused at once instead of waiting for nobody.
    drop(listener);
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>, app: Router, watcher: Watcher) {
    // A matter of speed only.
    let _ = stream.set_nodelay(true);
    match tls {
        None => exchange(stream, peer, app, watcher).await,
        Some(tls) => match tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => exchange(stream, peer, app, watcher).await,
            Ok(Err(error)) => tracing::debug!(%peer, %error, "no TLS"),
            Err(_) => tracing::debug!(%peer, "no TLS in time"),
        },
    }
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    app: Router,
    watcher: Watcher,
) {
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
