//! A picture is fetched from an address that somebody wrote into a file. Such an address must not
//! become a way into the network that the shop stands in (server-side request forgery): only
//! `http` and `https`, only addresses of the public internet, checked when the name is resolved, so
//! that no name can change its address between check and connection, and again at every redirect.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, StatusCode, redirect};
use url::{Host, Url};

use crate::catalog::service::images::MAX_BYTES;

/// The most redirects that are followed.
const MAX_REDIRECTS: usize = 3;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(5);
/// How long all of it may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Why a picture was not had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// It will not get better.
    Final(String),
    /// It may be better another time.
    Passing(String),
}

/// What refuses a connection, inside of the client.
#[derive(Clone, Copy, Debug, thiserror::Error)]
enum Refusal {
    #[error("This address is not on the public internet: it is not fetched.")]
    Private,
    #[error("This is redirected too often.")]
    Redirects,
    #[error("This is no address of a web page: it begins with http:// or https://.")]
    Address,
}

/// Fetches pictures.
pub(super) struct Fetcher {
    client: Client,
    trusted: Arc<[String]>,
}

impl Fetcher {
    /// `trusted`: hosts that may be on private addresses.
    pub fn new(trusted: &[String]) -> anyhow::Result<Self> {
        let trusted: Arc<[String]> = trusted.iter().map(|host| host.to_lowercase()).collect();
        let hosts = trusted.clone();
        let policy = redirect::Policy::custom(move |attempt| {
            if attempt.previous().len() > MAX_REDIRECTS {
                return attempt.error(Refusal::Redirects);
            }
            match check(attempt.url(), &hosts) {
                Ok(()) => attempt.follow(),
                Err(refusal) => attempt.error(refusal),
            }
        });
        let client = Client::builder()
            .user_agent(concat!("Zoco/", env!("CARGO_PKG_VERSION")))
            // A proxy would resolve names itself.
            .no_proxy()
            .redirect(policy)
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(PATIENCE)
            .dns_resolver(Arc::new(PublicOnly(trusted.clone())))
            .build()?;
        Ok(Self { client, trusted })
    }

    /// The bytes at an address, at most as many as a picture may have.
    pub async fn fetch(&self, address: &str) -> Result<Vec<u8>, Trouble> {
        let url = Url::parse(address).map_err(|_| Trouble::Final(Refusal::Address.to_string()))?;
        check(&url, &self.trusted).map_err(|refusal| Trouble::Final(refusal.to_string()))?;
        let mut response = self.client.get(url).send().await.map_err(told)?;
        let status = response.status();
        if !status.is_success() {
            let words = format!("The server answers {status}.");
            let passing = status.is_server_error()
                || status == StatusCode::TOO_MANY_REQUESTS
                || status == StatusCode::REQUEST_TIMEOUT;
            return Err(if passing {
                Trouble::Passing(words)
            } else {
                Trouble::Final(words)
            });
        }
        let too_large = || Trouble::Final(format!("Larger than {} MiB.", MAX_BYTES >> 20));
        if response
            .content_length()
            .is_some_and(|length| length > MAX_BYTES as u64)
        {
            return Err(too_large());
        }
        let mut bytes = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(told)? {
            bytes.extend_from_slice(&piece);
            if bytes.len() > MAX_BYTES {
                return Err(too_large());
            }
        }
        Ok(bytes)
    }
}

/// What a failure of the client is in words; its own say too much of the network.
fn told(error: reqwest::Error) -> Trouble {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(refusal) = current.downcast_ref::<Refusal>() {
            return Trouble::Final(refusal.to_string());
        }
        cause = current.source();
    }
    Trouble::Passing(if error.is_timeout() {
        "The server took too long.".to_owned()
    } else if error.is_connect() {
        "The server could not be reached.".to_owned()
    } else {
        "The connection broke off.".to_owned()
    })
}

/// Whether an address may be asked, as far as it can be told before its name is resolved.
fn check(url: &Url, trusted: &[String]) -> Result<(), Refusal> {
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !plain {
        return Err(Refusal::Address);
    }
    let host = url.host().ok_or(Refusal::Address)?;
    if url
        .host_str()
        .is_some_and(|host| trusted.iter().any(|one| one == host))
    {
        return Ok(());
    }
    match host {
        Host::Ipv4(address) if !is_public(address.into()) => Err(Refusal::Private),
        Host::Ipv6(address) if !is_public(address.into()) => Err(Refusal::Private),
        _ => Ok(()),
    }
}

/// Resolves names to public addresses only, but for trusted hosts.
struct PublicOnly(Arc<[String]>);

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_lowercase();
        let trusted = self.0.contains(&host);
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let fits = |address: &SocketAddr| trusted || is_public(address.ip());
            let found: Vec<SocketAddr> = found.filter(fits).collect();
            if found.is_empty() {
                return Err(Refusal::Private.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address is one of the public internet. IPv4: all but what IANA's registry of
/// special-purpose addresses (RFC 6890) lists; IPv6: the global unicast range `2000::/3` without
/// what in it leads to IPv4 addresses or is reserved.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            Some(mapped) => is_public_v4(mapped),
            None => is_public_v6(address),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = (0x2000..=0x3fff).contains(&a);
    // 2001::/23: Teredo and others; documentation; 6to4.
    let special = matches!(
        (a, b),
        (0x2001, 0..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0..=0x0fff)
    );
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_public_internet_is_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fe80::1",
            "fc00::1",
            "fd12::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "1.1.1.1",
            "100.63.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "2606:4700:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn addresses_are_checked_before_anything_is_resolved() {
        let trusted = ["127.0.0.1".to_owned(), "pictures.lan".to_owned()];
        let check = |address: &str| check(&Url::parse(address).unwrap(), &trusted).is_ok();
        for good in [
            "https://example.com/a.jpg",
            "http://example.com:8080/",
            "http://127.0.0.1:9000/a",
            "http://pictures.lan/",
        ] {
            assert!(check(good), "{good}");
        }
        for bad in [
            "ftp://example.com/a",
            "file:///etc/passwd",
            "https://me:secret@example.com/",
            "http://127.0.0.2/",
            "http://2130706434/",
            "http://0x7f.2/",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
            "data:text/plain,x",
        ] {
            assert!(!check(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_not_resolved() {
        let name = || "localhost".parse::<Name>().unwrap();
        let refused = PublicOnly(Arc::from([])).resolve(name()).await;
        assert!(refused.err().unwrap().is::<Refusal>());
        let trusted = PublicOnly(Arc::from(["localhost".to_owned()]))
            .resolve(name())
            .await;
        assert!(trusted.unwrap().next().is_some());
    }
}
