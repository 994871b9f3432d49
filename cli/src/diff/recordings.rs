//! Recorded exchanges of a folder: pairs of `NAME.req` and `NAME.resp`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use serde_json::Value;
use weir_filter::sim::{Headers, Message};

use crate::exchange::Exchange;
use crate::http::{self, Kind};
use crate::policy;

/// Says of each pair what a head would: one JSON object a line. With it the files of its pairs are bodies alone.
const MANIFEST: &str = "manifest.jsonl";

/// Names of the pairs in a folder, with what they recorded or why that cannot be read, sorted by name.
///
/// # Errors
/// The folder or its manifest cannot be read.
pub fn read(folder: &Path) -> io::Result<Vec<(String, io::Result<Exchange>)>> {
    let named = |e: io::Error| io::Error::new(e.kind(), format!("{}: {e}", folder.display()));
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder).map_err(named)? {
        let path = entry.map_err(named)?.path();
        let kind = path.extension().and_then(|e| e.to_str());
        if let (Some("req" | "resp"), Some(name)) =
            (kind, path.file_stem().and_then(|n| n.to_str()))
        {
            names.insert(name.to_owned());
        }
    }
    let heads = manifest(folder)?;
    let pair = |name: String| {
        let exchange = match heads.get(&name) {
            Some(head) => bodies(folder, &name, head),
            None => messages(folder, &name),
        };
        (name, exchange)
    };
    Ok(names.into_iter().map(pair).collect())
}

fn messages(folder: &Path, name: &str) -> io::Result<Exchange> {
    Ok(Exchange {
        request: http::read(&folder.join(format!("{name}.req")), Kind::Request)?,
        answer: http::read(&folder.join(format!("{name}.resp")), Kind::Response)?,
        ..Exchange::default()
    })
}

fn bodies(folder: &Path, name: &str, head: &Value) -> io::Result<Exchange> {
    let text = |key: &str| head.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let status = head.get("status").and_then(Value::as_u64).unwrap_or(200).to_string();
    let streamed = text("format") == "sse";
    let kind = if streamed { "text/event-stream" } else { "application/json" };
    let headers = |pairs: &[(&str, &str)]| -> Headers {
        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()
    };
    let (host, path) = (text("host"), text("path"));
    Ok(Exchange {
        request: Message {
            headers: headers(&[
                (":method", "POST"),
                (":path", &path),
                (":authority", &host),
                ("content-type", "application/json"),
            ]),
            body: policy::read(&folder.join(format!("{name}.req")))?,
        },
        answer: Message {
            headers: headers(&[(":status", &status), ("content-type", kind)]),
            body: policy::read(&folder.join(format!("{name}.resp")))?,
        },
        ..Exchange::default()
    })
}

fn manifest(folder: &Path) -> io::Result<BTreeMap<String, Value>> {
    let path = folder.join(MANIFEST);
    if !path.exists() {
        return Ok(BTreeMap::new());
    }
    let text = policy::read_text(&path)?;
    let mut heads = BTreeMap::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let row: Option<Value> = serde_json::from_str(line).ok();
        let id =
            row.as_ref().and_then(|row| row.get("id")).and_then(Value::as_str).map(str::to_owned);
        match (id, row) {
            (Some(id), Some(row)) => heads.insert(id, row),
            _ => {
                let place = format!("{}:{}", path.display(), number + 1);
                return Err(io::Error::other(format!("{place}: no JSON object with an `id`")));
            }
        };
    }
    Ok(heads)
}
