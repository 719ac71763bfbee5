//! Where the doors listen, and what others are told.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use tandem_common::config::{Config, PortRange};
use tandem_common::env::net::{self, TcpListener};
use tandem_common::{Error, Result};

/// Listens on the first free port of `ports` at `host`.
///
/// # Errors
/// A host without an address, an address beyond loopback that was not allowed, no free port.
pub(crate) async fn listen(host: &str, ports: PortRange, insecure: bool) -> Result<TcpListener> {
    let ip = resolve(host).await?;
    if !ip.is_loopback() && !insecure {
        return Err(Error::IllegalState {
            reason: format!(
                "[{host}] can be reached from other machines, and whoever reaches it may do everything: there is no TLS and no authentication. \
                 If that network is trusted, start with --insecure; else leave network.host at 127.0.0.1"
            ),
        });
    }
    let mut failure = Error::internal("no port to listen on");
    for port in ports.first..=ports.last {
        match net::listen(SocketAddr::new(ip, port)).await {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error.into(),
        }
    }
    Err(failure)
}

/// The address that others are told: the one listened on, unless that stands for all of this machine's addresses.
///
/// # Errors
/// A `transport.publish_host` without an address.
pub(crate) async fn published(bound: SocketAddr, config: &Config) -> Result<SocketAddr> {
    let told = config.text("transport.publish_host");
    if !told.is_empty() {
        return Ok(SocketAddr::new(resolve(&told).await?, bound.port()));
    }
    if !bound.ip().is_unspecified() {
        return Ok(bound);
    }
    // In a container the name of the host is the name under which the others find it.
    let own_name = std::env::var("HOSTNAME").unwrap_or_default();
    let ip = if own_name.is_empty() { None } else { resolve(&own_name).await.ok() };
    Ok(SocketAddr::new(ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), bound.port()))
}

async fn resolve(host: &str) -> Result<IpAddr> {
    let plain = host.trim_start_matches('[').trim_end_matches(']');
    if let Ok(ip) = plain.parse() {
        return Ok(ip);
    }
    match net::resolve(&format!("{host}:0")).await {
        Ok(address) => Ok(address.ip()),
        Err(error) => Err(Error::illegal_argument(format!("the host [{host}] has no address: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn beyond_loopback_needs_to_be_allowed() {
        let any = PortRange { first: 0, last: 0 };
        let refused = listen("0.0.0.0", any, false).await.unwrap_err();
        assert!(refused.to_string().contains("--insecure"), "{refused}");
        assert!(listen("127.0.0.1", any, false).await.is_ok());
        assert!(listen("::1", any, false).await.is_ok() || listen("localhost", any, false).await.is_ok());
    }

    #[tokio::test]
    async fn of_a_range_the_first_free_port_is_taken() {
        let taken = listen("127.0.0.1", PortRange { first: 0, last: 0 }, false).await.unwrap();
        let port = taken.local_addr().unwrap().port();
        assert!(listen("127.0.0.1", PortRange { first: port, last: port }, false).await.is_err());
        let range = PortRange { first: port, last: port.saturating_add(50) };
        let next = listen("127.0.0.1", range, false).await.unwrap().local_addr().unwrap().port();
        assert!(next > port && next <= range.last);
    }

    #[tokio::test]
    async fn an_address_that_stands_for_all_is_not_told_to_others() {
        let config = Config::of([("transport.publish_host", "10.1.2.3")]).unwrap();
        let bound = "0.0.0.0:9300".parse().unwrap();
        assert_eq!(published(bound, &config).await.unwrap(), "10.1.2.3:9300".parse().unwrap());
        assert!(!published(bound, &Config::default()).await.unwrap().ip().is_unspecified());
    }
}
