//! Sockets.

use std::io;
use std::net::SocketAddr;
pub use tokio::net::{TcpListener, TcpStream};

/// Listens on `address`; port 0 lets the system choose.
pub async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))
}

/// Connects to `host:port`, with small packets sent at once.
pub async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream =
        TcpStream::connect(address).await.map_err(|error| io::Error::new(error.kind(), format!("cannot connect to {address}: {error}")))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Resolves `host:port`; the first address wins.
pub async fn resolve(address: &str) -> io::Result<SocketAddr> {
    tokio::net::lookup_host(address)
        .await?
        .next()
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no address for {address}")))
}
