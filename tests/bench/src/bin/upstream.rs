//! A fake provider of chat completions that costs little: `upstream TEXTS POLICY`; prints the port that it serves.
//!
//! The request says what it wants in headers: `x-size` bytes of text in one JSON answer, or `x-events` events of one
//! token, `x-gap` microseconds apart (0: all at once). `x-received` of a stream says when its request had come, in
//! microseconds.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use weir_bench::events;
use weir_bench::http::Head;
use weir_bench::text::{Pool, Random};

/// Bytes of a burst that are made before they are written.
const BURST: usize = 256 * 1024;

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, texts, policy] = arguments.as_slice() else { panic!("usage: upstream TEXTS POLICY") };
    let pool = Rc::new(Pool::read(Path::new(texts), Path::new(policy)));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    let local = tokio::task::LocalSet::new();
    let mut served = 0u64;
    local
        .run_until(async move {
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                served += 1;
                let (pool, seed) = (pool.clone(), served << 32);
                // A client that goes away ends its connection, which is no failure of the provider.
                tokio::task::spawn_local(
                    async move { serve(stream, &pool, Random(seed)).await.ok() },
                );
            }
        })
        .await
}

async fn serve(stream: TcpStream, pool: &Pool, mut random: Random) -> std::io::Result<()> {
    let (from, mut to) = stream.into_split();
    let mut from = BufReader::with_capacity(64 * 1024, from);
    let mut room = Vec::new();
    while let Some(head) = Head::read(&mut from).await? {
        head.body().drain(&mut from, &mut room).await?;
        let count = head.number("x-events");
        if count > 0 {
            stream_events(&mut to, pool, &mut random, count, head.number("x-gap")).await?;
        } else {
            let size = usize::try_from(head.number("x-size")).unwrap_or(0);
            to.write_all(&answer(pool, &mut random, size)).await?;
        }
    }
    Ok(())
}

fn answer(pool: &Pool, random: &mut Random, size: usize) -> Vec<u8> {
    let text = serde_json::Value::from(pool.text(random, size)).to_string();
    let body = events::answer(random.next(), &text);
    format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into()
}

async fn stream_events(
    to: &mut (impl AsyncWriteExt + Unpin),
    pool: &Pool,
    random: &mut Random,
    count: u64,
    gap: u64,
) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\nx-received: {}\r\n\r\n",
        weir_bench::now()
    );
    to.write_all(head.as_bytes()).await?;
    let id = random.next();
    // Streams that begin together do not speak together.
    let began = Instant::now() + Duration::from_micros(id.checked_rem(gap).unwrap_or(0));
    let mut sent = 0;
    let mut out = Vec::new();
    while sent < count {
        for token in pool.tokens(random) {
            if sent == count {
                break;
            }
            if gap > 0 {
                tokio::time::sleep_until((began + Duration::from_micros(gap * sent)).into()).await;
            }
            event(&mut out, id, &events::delta(token), "null");
            sent += 1;
            if gap > 0 || out.len() > BURST {
                to.write_all(&out).await?;
                out.clear();
            }
        }
    }
    event(&mut out, id, "{}", r#""stop""#);
    chunk(&mut out, events::DONE);
    out.extend_from_slice(b"0\r\n\r\n");
    to.write_all(&out).await
}

fn event(out: &mut Vec<u8>, id: u64, delta: &str, reason: &str) {
    let mut one = Vec::with_capacity(256);
    events::event(&mut one, id, weir_bench::now(), delta, reason);
    chunk(out, &one);
}

fn chunk(out: &mut Vec<u8>, data: &[u8]) {
    out.extend_from_slice(format!("{:x}\r\n", data.len()).as_bytes());
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}
