//! The load client: `load TEXTS POLICY PORT` reads one job a line from standard input, `KIND KEY=NUMBER ..`, and
//! answers each with one line of JSON.
//!
//! Jobs: `answers connections= requests= size=`, `requests connections= requests= size=`, `image requests= size=`,
//! `conversation turns= size= fresh=`, `streams streams= events= gap= spread=`, `bursts requests= events=`, and
//! `scheduled connections= requests= size= rate=`: answers asked for at a fixed rate, whether or not earlier ones have come.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::BufRead;
use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use weir_bench::http::Head;
use weir_bench::now;
use weir_bench::text::{Pool, Random, base64};

/// Microseconds, or bytes, measured many times.
type Samples = RefCell<Vec<u64>>;

#[derive(Default)]
struct Seen {
    /// Of a request, from its first byte written to its answer's last byte read; from when it was due where that is known.
    whole: Samples,
    /// To the first event read, without what the provider waited before it made that.
    first: Samples,
    /// Of an event, from when it was made to when it was read.
    event: Samples,
    /// Answered with another status than 200, or not at all.
    refused: RefCell<u64>,
    bytes: RefCell<u64>,
}

struct Job {
    kind: String,
    numbers: HashMap<String, u64>,
}

impl Job {
    fn get(&self, name: &str, otherwise: u64) -> u64 {
        self.numbers.get(name).copied().unwrap_or(otherwise)
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, texts, policy] = arguments.as_slice() else { panic!("usage: load TEXTS POLICY") };
    let pool = Rc::new(Pool::read(Path::new(texts), Path::new(policy)));
    let local = tokio::task::LocalSet::new();
    let mut seed = 0x1_0000_0000_0000;
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ');
        let kind = words.next().unwrap_or_default().to_owned();
        let pairs = words.filter_map(|word| word.split_once('='));
        let numbers =
            pairs.map(|(key, value)| (key.to_owned(), value.parse().expect("a number"))).collect();
        let job = Rc::new(Job { kind, numbers });
        seed += 0x1_0000_0000;
        println!("{}", local.run_until(run(&pool, job, seed)).await?);
    }
    Ok(())
}

async fn run(pool: &Rc<Pool>, job: Rc<Job>, seed: u64) -> std::io::Result<Value> {
    let seen = Rc::new(Seen::default());
    let began = Instant::now();
    let lanes = job.get("streams", job.get("connections", 1));
    let due = Rc::new(Mutex::new(schedule(job.get("rate", 0), job.get("requests", 0))));
    let tasks: Vec<_> = (0..lanes)
        .map(|lane| {
            let (pool, job, seen, due) = (pool.clone(), job.clone(), seen.clone(), due.clone());
            tokio::task::spawn_local(async move {
                // Streams do not all begin at once, unless that is asked for.
                let wait = job.get("spread", 0) * lane / lanes;
                tokio::time::sleep(Duration::from_micros(wait)).await;
                drive(&pool, &job, &seen, Random(seed + (lane << 16)), lanes, &due).await
            })
        })
        .collect();
    for task in tasks {
        // A proxy that ends a connection has refused what was asked; the others go on.
        if let Err(error) = task.await.map_err(std::io::Error::other)? {
            eprintln!("load: {error}");
            *seen.refused.borrow_mut() += 1;
        }
    }
    Ok(json!({
        "seconds": began.elapsed().as_secs_f64(),
        "requests": seen.whole.borrow().len(),
        "events": seen.event.borrow().len(),
        "refused": *seen.refused.borrow(),
        "bytes": *seen.bytes.borrow(),
        "whole": percentiles(&seen.whole),
        "first": percentiles(&seen.first),
        "event": percentiles(&seen.event),
    }))
}

fn percentiles(samples: &Samples) -> Value {
    let mut sorted = samples.borrow().clone();
    sorted.sort_unstable();
    let at = |share: usize| sorted.get(sorted.len() * share / 1000).copied();
    json!({"p50": at(500), "p90": at(900), "p99": at(990)})
}

/// When requests are due. The clock is a thread: the runtime's timers count milliseconds.
fn schedule(rate: u64, count: u64) -> UnboundedReceiver<Instant> {
    let (tell, due) = unbounded_channel();
    if rate > 0 {
        // All connections are open by then.
        let began = Instant::now() + Duration::from_millis(100);
        std::thread::spawn(move || {
            for number in 0..count {
                let at = began + Duration::from_nanos(number * 1_000_000_000 / rate);
                std::thread::sleep(at.saturating_duration_since(Instant::now()));
                if tell.send(at).is_err() {
                    return;
                }
            }
        });
    }
    due
}

/// One connection's share of a job.
async fn drive(
    pool: &Pool,
    job: &Job,
    seen: &Seen,
    mut random: Random,
    lanes: u64,
    due: &Mutex<UnboundedReceiver<Instant>>,
) -> std::io::Result<()> {
    let mut connection = Connection::open(job.get("port", 0)).await?;
    let size = job.get("size", 0) as usize;
    let count = job.get("requests", lanes).div_ceil(lanes);
    let short = |random: &mut Random| json!([{"role": "user", "content": pool.text(random, 64)}]);
    match job.kind.as_str() {
        "answers" => {
            for _ in 0..count {
                let body = chat(short(&mut random), false);
                connection.exchange(&format!("x-size: {size}\r\n"), &body, seen).await?;
            }
        }
        "scheduled" => {
            let wishes = format!("x-size: {size}\r\n");
            loop {
                let body = chat(short(&mut random), false);
                // Whoever waited the longest takes the next one.
                let next = due.lock().await.recv().await;
                let Some(at) = next else { break };
                connection.exchange(&wishes, &body, seen).await?;
                let mut whole = seen.whole.borrow_mut();
                whole.pop();
                whole.push(at.elapsed().as_micros() as u64);
            }
        }
        "requests" => {
            for _ in 0..count {
                let text = pool.text(&mut random, size);
                let messages = json!([{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": text}]);
                connection.exchange("x-size: 200\r\n", &chat(messages, false), seen).await?;
            }
        }
        "image" => {
            for _ in 0..count {
                let url = format!("data:image/png;base64,{}", base64(&mut random, size));
                let content = json!([{"type": "text", "text": "What is in it?"}, {"type": "image_url", "image_url": {"url": url}}]);
                let body = chat(json!([{"role": "user", "content": content}]), false);
                connection.exchange("x-size: 200\r\n", &body, seen).await?;
            }
        }
        "conversation" => {
            for _ in 0..count {
                let mut messages = vec![
                    json!({"role": "system", "content": "You answer questions about operations."}),
                ];
                for _ in 0..job.get("turns", 60) {
                    if job.get("fresh", 0) > 0 {
                        renew(&mut messages, pool, &mut random, size);
                    }
                    messages.push(json!({"role": "user", "content": pool.text(&mut random, size)}));
                    connection
                        .exchange("x-size: 200\r\n", &chat(messages.clone().into(), false), seen)
                        .await?;
                    messages.push(
                        json!({"role": "assistant", "content": pool.text(&mut random, size * 3)}),
                    );
                }
            }
        }
        "streams" | "bursts" => {
            let (events, gap) = (job.get("events", 1), job.get("gap", 0));
            for _ in 0..count {
                let body = chat(short(&mut random), true);
                connection
                    .exchange(&format!("x-events: {events}\r\nx-gap: {gap}\r\n"), &body, seen)
                    .await?;
            }
        }
        other => panic!("no job {other}"),
    }
    Ok(())
}

/// The same history in other words, as if nothing of it had been sent before.
fn renew(messages: &mut [Value], pool: &Pool, random: &mut Random, size: usize) {
    for message in messages.iter_mut().skip(1) {
        let size = if message["role"] == "assistant" { size * 3 } else { size };
        message["content"] = pool.text(random, size).into();
    }
}

fn chat(messages: Value, stream: bool) -> Vec<u8> {
    json!({"model": "gpt-4o-mini", "messages": messages, "stream": stream}).to_string().into_bytes()
}

struct Connection {
    from: BufReader<OwnedReadHalf>,
    to: OwnedWriteHalf,
    room: Vec<u8>,
}

impl Connection {
    async fn open(port: u64) -> std::io::Result<Connection> {
        let stream = TcpStream::connect(("127.0.0.1", port as u16)).await?;
        stream.set_nodelay(true)?;
        let (from, to) = stream.into_split();
        Ok(Connection { from: BufReader::with_capacity(64 * 1024, from), to, room: Vec::new() })
    }

    async fn exchange(&mut self, wishes: &str, body: &[u8], seen: &Seen) -> std::io::Result<()> {
        let mut request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: api.openai.com\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{wishes}\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        let began = now();
        self.to.write_all(&request).await?;
        let head = Head::read(&mut self.from).await?.ok_or(std::io::ErrorKind::UnexpectedEof)?;
        if head.status() != 200 {
            *seen.refused.borrow_mut() += 1;
        }
        let mut rest = head.body();
        let received = head.number("x-received");
        let mut is_first = true;
        loop {
            self.room.clear();
            if !rest.read(&mut self.from, &mut self.room).await? {
                break;
            }
            *seen.bytes.borrow_mut() += self.room.len() as u64;
            if wishes.starts_with("x-events") {
                let now = now();
                let mut waits = made(&self.room).map(|made| now.saturating_sub(made)).peekable();
                if let Some(wait) = waits.peek().filter(|_| std::mem::take(&mut is_first)) {
                    seen.first.borrow_mut().push(received.saturating_sub(began) + wait);
                }
                seen.event.borrow_mut().extend(waits);
            }
        }
        seen.whole.borrow_mut().push(now() - began);
        Ok(())
    }
}

/// When the events in some bytes were made. An event that is cut counts where its time is whole.
fn made(bytes: &[u8]) -> impl Iterator<Item = u64> {
    const KEY: &[u8] = b"\"created\":";
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let at = memchr::memmem::find(rest, KEY)?;
        rest = rest.get(at + KEY.len()..)?;
        let digits = rest.iter().take_while(|b| b.is_ascii_digit()).count();
        std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()
    })
}
