//! Where a request comes from, behind as many proxies as the settings trust.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Request};
use axum::http::{Extensions, HeaderMap};

/// The sender's address; behind `hops` trusted proxies, what the outermost of them saw. None
/// where no connection is known.
pub fn address(request: &Request, hops: usize) -> Option<IpAddr> {
    let peer = peer(request.extensions());
    hops.checked_sub(1)
        .and_then(|passed| seen(request.headers(), passed))
        .or(peer)
        .map(|address| address.to_canonical())
}

/// Who is at the other end of the connection.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let connection = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(connection.0.ip())
}

/// The entry of `X-Forwarded-For` that has `passed` others behind it. Each proxy writes at the
/// end, so only the end is to be believed: entries are counted from there, whether they can be
/// read or not. A sender's own nonsense moves no place, and where the place itself holds none
/// (`unknown`, or fewer entries than proxies) there is no address.
fn seen(headers: &HeaderMap, passed: usize) -> Option<IpAddr> {
    let values = headers.get_all("x-forwarded-for").iter().rev();
    let mut entries = values.flat_map(|value| value.as_bytes().rsplit(|&byte| byte == b','));
    read(entries.nth(passed)?)
}

/// `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:4711`.
fn read(entry: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(entry).ok()?.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.unwrap_or(text).parse().or_else(|_| with_port()).ok()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::HeaderValue;

    use super::*;

    /// The address that is believed when the peer is 10.0.0.9.
    fn believed(hops: usize, lines: &[&[u8]]) -> String {
        let mut request = Request::new(Body::empty());
        let peer = SocketAddr::from(([10, 0, 0, 9], 4711));
        request.extensions_mut().insert(ConnectInfo(peer));
        for line in lines {
            let value = HeaderValue::from_bytes(line).unwrap();
            request.headers_mut().append("x-forwarded-for", value);
        }
        address(&request, hops).unwrap().to_string()
    }

    #[test]
    fn only_trusted_hops_are_believed() {
        let peer = "10.0.0.9";
        let cases: &[(usize, &[&[u8]], &str)] = &[
            // Nobody is trusted, so nothing is.
            (0, &[], peer),
            (0, &[b"192.0.2.1"], peer),
            (0, &[b"192.0.2.1, 192.0.2.2"], peer),
            // One proxy: the last entry is its own.
            (1, &[], peer),
            (1, &[b"192.0.2.1"], "192.0.2.1"),
            (1, &[b"203.0.113.1, 192.0.2.1"], "192.0.2.1"),
            (1, &[b"203.0.113.1", b"192.0.2.1"], "192.0.2.1"),
            // Two: the last but one.
            (2, &[b"192.0.2.1"], peer),
            (2, &[b"192.0.2.1, 10.0.0.8"], "192.0.2.1"),
            (2, &[b"192.0.2.1", b"10.0.0.8"], "192.0.2.1"),
            (
                2,
                &[b"203.0.113.1", b"203.0.113.2, 192.0.2.1, 10.0.0.8"],
                "192.0.2.1",
            ),
            // What cannot be read keeps its place.
            (1, &[b"192.0.2.1, unknown"], peer),
            (1, &[b"unknown, 192.0.2.1"], "192.0.2.1"),
            (2, &[b"203.0.113.1, unknown, 10.0.0.8"], peer),
            (
                2,
                &[b"203.0.113.1, _hidden, , 192.0.2.1, 10.0.0.8"],
                "192.0.2.1",
            ),
            (2, &[b"203.0.113.1, 192.0.2.1, nonsense"], "192.0.2.1"),
            (1, &[b"203.0.113.1, \xff\xfe"], peer),
            (1, &[b"\xff\xfe, 192.0.2.1"], "192.0.2.1"),
            (1, &[b"203.0.113.1,"], peer),
            (1, &[b""], peer),
            (3, &[b",,"], peer),
            (usize::MAX, &[b"192.0.2.1, 192.0.2.2"], peer),
            // Other ways to write an address.
            (1, &[b"192.0.2.1:4711"], "192.0.2.1"),
            (1, &[b" \t192.0.2.1 "], "192.0.2.1"),
            (1, &[b"2001:db8::1"], "2001:db8::1"),
            (1, &[b"[2001:db8::1]"], "2001:db8::1"),
            (1, &[b"[2001:db8::1]:4711"], "2001:db8::1"),
            (1, &[b"::ffff:192.0.2.1"], "192.0.2.1"),
            (1, &[b"192.0.2.1:99999"], peer),
            (1, &[b"192.0.2"], peer),
            (1, &[b"[192.0.2.1"], peer),
        ];
        for (hops, lines, expected) in cases {
            let shown: Vec<_> = lines
                .iter()
                .map(|line| String::from_utf8_lossy(line))
                .collect();
            assert_eq!(believed(*hops, lines), *expected, "{hops} hops: {shown:?}");
        }
    }
}
