//! Which traffic a policy reads: host, normalized path, dialect.

use weir_rules::glob;
use weir_rules::policy::{Dialect as Named, Policy};

use crate::dialect::Dialect;

/// What a request is to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// Inspected in this dialect.
    Inspect(Dialect),
    /// The policy names the host, but the path speaks no dialect that is understood.
    Unknown,
    /// Not named by the policy.
    Other,
}

/// The most bytes of a path that are normalized; a longer one is unknown.
const MAX_PATH: usize = 8 * 1024;

/// Decides what a request to `host` is.
pub fn route(policy: &Policy, host: &str, path: &str) -> Route {
    let path = normalize(path);
    if policy.spec.traffic.is_empty() {
        return Dialect::of_path(&path).map_or(Route::Other, Route::Inspect);
    }
    let mut named = false;
    for traffic in &policy.spec.traffic {
        if !traffic.hosts.iter().any(|h| host_matches(h, host)) {
            continue;
        }
        let here = traffic.paths.iter().any(|p| glob(p, &path));
        if traffic.dialect == Named::Known {
            match Dialect::of_path(&path).filter(|_| here) {
                Some(dialect) => return Route::Inspect(dialect),
                None => continue,
            }
        }
        named = true;
        if !here {
            continue;
        }
        return match traffic.dialect {
            Named::OpenAIChat => Route::Inspect(Dialect::OpenAIChat),
            Named::AnthropicMessages => Route::Inspect(Dialect::AnthropicMessages),
            Named::Auto | Named::Known => {
                Dialect::of_path(&path).map_or(Route::Unknown, Route::Inspect)
            }
        };
    }
    if named { Route::Unknown } else { Route::Other }
}

/// The host of an authority: no port, no final dot, in lower case.
pub fn host_of(authority: &str) -> String {
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

fn host_matches(pattern: &str, host: &str) -> bool {
    let pattern = pattern.to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(suffix) => host.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')),
        None => pattern == "*" || pattern == host,
    }
}

/// The path as servers resolve it: no query, percent-decoded once, `//`, `.` and `..` collapsed, lower case is kept.
pub fn normalize(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.len() > MAX_PATH {
        return String::new();
    }
    let decoded = percent_decode(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in decoded.split(['/', '\\']) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

fn percent_decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    let hex = |b: Option<&u8>| b.and_then(|b| char::from(*b).to_digit(16));
    while let Some(&byte) = bytes.get(at) {
        match (byte, hex(bytes.get(at + 1)), hex(bytes.get(at + 2))) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            _ => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_compared_as_servers_read_them() {
        for (path, expected) in [
            ("/v1/chat/completions", "/v1/chat/completions"),
            ("//v1//chat/completions?x=1", "/v1/chat/completions"),
            ("/v1/%63hat/completions", "/v1/chat/completions"),
            ("/v1/./chat/x/../completions/", "/v1/chat/completions"),
            ("/%", "/%"),
            ("", "/"),
        ] {
            assert_eq!(normalize(path), expected, "{path}");
        }
    }

    #[test]
    fn hosts() {
        for (pattern, host, expected) in [
            ("api.openai.com", "API.OpenAI.com:443", true),
            ("*.openai.com", "api.openai.com", true),
            ("*.openai.com", "openai.com", false),
            ("*.openai.com", "evilopenai.com", false),
            ("*", "x", true),
            ("api.openai.com", "api.openai.com.", true),
        ] {
            assert_eq!(host_matches(pattern, &host_of(host)), expected, "{pattern} {host}");
        }
    }
}
