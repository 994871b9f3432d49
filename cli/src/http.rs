//! Recorded HTTP/1.1 messages: head, blank line, body without transfer framing.

use std::io;
use std::path::Path;

use weir_filter::sim::{Headers, Message};

use crate::policy;

/// Reads a recorded message; pseudo-headers are made of its first line.
pub fn read(path: &Path) -> io::Result<Message> {
    let bytes = policy::read(path)?;
    parse(&bytes).ok_or_else(|| {
        let why = "it is no HTTP/1.1 message: first line, headers, blank line, body";
        io::Error::other(format!("{}: {why}", path.display()))
    })
}

fn parse(bytes: &[u8]) -> Option<Message> {
    let mut headers: Headers = Vec::new();
    let mut at = 0usize;
    let mut first = true;
    loop {
        let rest = bytes.get(at..)?;
        let length = rest.iter().position(|b| *b == b'\n')?;
        let line = rest.get(..length)?;
        let line = std::str::from_utf8(line.strip_suffix(b"\r").unwrap_or(line)).ok()?;
        at += length + 1;
        if first {
            first_line(line, &mut headers)?;
            first = false;
            continue;
        }
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let name = name.trim().to_ascii_lowercase();
        let name = if name == "host" { ":authority".to_owned() } else { name };
        headers.push((name, value.trim().to_owned()));
    }
    Some(Message { headers, body: bytes.get(at..)?.to_vec() })
}

fn first_line(line: &str, headers: &mut Headers) -> Option<()> {
    let mut words = line.split(' ');
    let (first, second) = (words.next()?, words.next()?);
    if first.starts_with("HTTP/") {
        headers.push((":status".to_owned(), second.to_owned()));
    } else {
        headers.push((":method".to_owned(), first.to_owned()));
        headers.push((":path".to_owned(), second.to_owned()));
    }
    Some(())
}

/// A message's head as HTTP/1.1 would write it.
pub fn head(headers: &Headers) -> String {
    let value = |name: &str| headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let mut out = match value(":status") {
        Some(status) => format!("HTTP/1.1 {status}\r\n"),
        None => format!(
            "{} {} HTTP/1.1\r\n",
            value(":method").unwrap_or_default(),
            value(":path").unwrap_or_default()
        ),
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
