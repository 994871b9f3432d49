//! Recorded HTTP/1.1 messages: head, blank line, body without transfer framing.

use std::io;
use std::path::Path;

use weir_filter::sim::{Headers, Message};

use crate::policy;

/// Which message a file must hold.
#[derive(Clone, Copy)]
pub enum Kind {
    Request,
    Response,
}

/// Reads a recorded message; pseudo-headers are made of its first line.
///
/// # Errors
/// The file cannot be read, or is no such message: `FILE:LINE: reason`.
pub fn read(path: &Path, kind: Kind) -> io::Result<Message> {
    let bytes = policy::read(path)?;
    parse(&bytes, kind)
        .map_err(|(line, why)| io::Error::other(format!("{}:{line}: {why}", path.display())))
}

fn parse(bytes: &[u8], kind: Kind) -> Result<Message, (usize, &'static str)> {
    let mut headers: Headers = Vec::new();
    let mut rest = bytes;
    for number in 1usize.. {
        let at = |why| (number, why);
        let end = rest.iter().position(|b| *b == b'\n');
        let (line, after) = end
            .and_then(|end| rest.split_at_checked(end + 1))
            .ok_or(at("the file ends inside the head; a blank line must follow the headers"))?;
        rest = after;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line))
            .map_err(|_| at("the head is not UTF-8"))?;
        if number == 1 {
            headers = first_line(line, kind).map_err(at)?;
        } else if line.is_empty() {
            break;
        } else {
            let (name, value) = line.split_once(':').ok_or(at("no `name: value`"))?;
            let name = match name.trim().to_ascii_lowercase() {
                name if name.is_empty() => return Err(at("a header without a name")),
                name if name == "host" => ":authority".to_owned(),
                name => name,
            };
            headers.push((name, value.trim().to_owned()));
        }
    }
    Ok(Message { headers, body: rest.to_vec() })
}

fn first_line(line: &str, kind: Kind) -> Result<Headers, &'static str> {
    let mut words = line.splitn(3, ' ');
    let mut next = || words.next().unwrap_or_default();
    let (first, second, third) = (next(), next(), next());
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    match kind {
        Kind::Request if first.starts_with("HTTP/") => {
            Err("a response where the request belongs; are the two files swapped?")
        }
        Kind::Request if second.is_empty() || !third.starts_with("HTTP/1") => {
            Err("no request line such as `POST /v1/chat/completions HTTP/1.1`")
        }
        Kind::Request => Ok(vec![header(":method", first), header(":path", second)]),
        Kind::Response if third.starts_with("HTTP/1") => {
            Err("a request where the response belongs; are the two files swapped?")
        }
        Kind::Response => match second.parse() {
            Ok(100..=599u16) if first.starts_with("HTTP/") => Ok(vec![header(":status", second)]),
            _ => Err("no status line such as `HTTP/1.1 200 OK`"),
        },
    }
}

/// A message's head as HTTP/1.1 would write it.
pub fn head(headers: &Headers) -> String {
    let value = |name: &str| {
        let found = headers.iter().find(|(n, _)| n == name);
        found.map(|(_, v)| v.as_str()).unwrap_or_default()
    };
    let mut out = match value(":status") {
        "" => format!("{} {} HTTP/1.1\r\n", value(":method"), value(":path")),
        status => format!("HTTP/1.1 {status} {}\r\n", reason(status)),
    };
    for (name, value) in headers {
        match name.as_str() {
            ":authority" => out.push_str(&format!("host: {value}\r\n")),
            name if name.starts_with(':') => {}
            name => out.push_str(&format!("{name}: {value}\r\n")),
        }
    }
    out.push_str("\r\n");
    out
}

/// Reason phrases (RFC 9110) of what Weir and its usual upstreams answer; others may be empty.
fn reason(status: &str) -> &'static str {
    match status {
        "200" => "OK",
        "204" => "No Content",
        "400" => "Bad Request",
        "401" => "Unauthorized",
        "403" => "Forbidden",
        "404" => "Not Found",
        "413" => "Content Too Large",
        "415" => "Unsupported Media Type",
        "429" => "Too Many Requests",
        "500" => "Internal Server Error",
        "502" => "Bad Gateway",
        "503" => "Service Unavailable",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_end_in_either_way() {
        for text in [
            "POST /a HTTP/1.1\r\nHost: h\r\nX-A:  b \r\n\r\nb\r\n\r\n",
            "POST /a HTTP/1.1\nHost: h\nX-A: b\n\nb\r\n\r\n",
        ] {
            let message = parse(text.as_bytes(), Kind::Request).unwrap();
            assert_eq!(head(&message.headers), "POST /a HTTP/1.1\r\nhost: h\r\nx-a: b\r\n\r\n");
            assert_eq!(message.body, b"b\r\n\r\n");
        }
        let answer = parse(b"HTTP/1.1 403 No Way\n\n", Kind::Response).unwrap();
        assert_eq!(head(&answer.headers), "HTTP/1.1 403 Forbidden\r\n\r\n");
    }

    #[test]
    fn what_is_no_message() {
        use Kind::{Request, Response};
        for (text, kind, line, why) in [
            ("", Request, 1, "ends inside the head"),
            ("{\"model\": 1}\n\n", Request, 1, "no request line"),
            ("GET\n\n", Request, 1, "no request line"),
            ("HTTP/1.1 200 OK\n\n", Request, 1, "swapped"),
            ("GET / HTTP/1.1\n\n", Response, 1, "swapped"),
            ("HTTP/1.1 ok\n\n", Response, 1, "no status line"),
            ("HTTP/1.1 99 x\n\n", Response, 1, "no status line"),
            ("GET / HTTP/1.1\nhost: x", Request, 2, "ends inside the head"),
            ("GET / HTTP/1.1\nhost: x\nbad\n\n", Request, 3, "no `name: value`"),
            ("GET / HTTP/1.1\n: x\n\n", Request, 2, "without a name"),
        ] {
            let (at, reason) = parse(text.as_bytes(), kind).err().unwrap();
            assert!(reason.contains(why), "{text:?}: {reason}");
            assert_eq!(at, line, "{text:?}");
        }
    }
}
