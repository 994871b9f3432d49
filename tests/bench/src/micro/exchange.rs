//! Whole bodies through the pipeline, without a proxy around it.

use std::rc::Rc;
use std::time::Instant;

use weir_filter::answer::{JsonAnswer, StreamAnswer};
use weir_filter::dialect::Dialect;
use weir_filter::request::Request;
use weir_filter::tally::Tally;
use weir_filter::{Engine, Guard};

use super::{Error, Seen};

/// What a proxy hands over at once, in bytes.
const PIECE: usize = 16 * 1024;
const CHAT: Dialect = Dialect::OpenAIChat;

/// Compiles a policy as the module does.
///
/// # Errors
/// What is wrong with it.
pub fn engine(json: &[u8]) -> Result<Rc<Engine>, Error> {
    let guard = Guard::new(json, &|_| None, 0).map_err(|errors| errors.to_string())?;
    Ok(guard.first().cloned().ok_or("no policy")?)
}

/// Runs a stream: in pieces of a burst, or one event at a time. `found` is how many events waited.
///
/// # Errors
/// Where the pipeline refuses it.
pub fn stream(engine: &Rc<Engine>, body: &[u8], burst: bool) -> Result<Seen, Error> {
    let pieces: Vec<&[u8]> =
        if burst { body.chunks(PIECE).collect() } else { events(body).collect() };
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    let began = Instant::now();
    let mut answer = StreamAnswer::new(engine.clone(), CHAT);
    for (now, piece) in (0..).zip(&pieces) {
        answer.write(piece, now, &mut out, &mut tally).map_err(|_| "stopped")?;
        out.clear();
    }
    answer.end(pieces.len() as u64, &mut out, &mut tally).map_err(|_| "stopped")?;
    let seconds = began.elapsed().as_secs_f64();
    Ok(Seen { seconds, bytes: body.len(), found: tally.held_events as usize })
}

/// Runs whole answers, one a line.
///
/// # Errors
/// Where the pipeline refuses one.
pub fn answers(engine: &Rc<Engine>, bodies: &str) -> Result<Seen, Error> {
    let (mut out, mut tally) = (Vec::new(), Tally::default());
    let began = Instant::now();
    for body in bodies.lines() {
        let mut answer = JsonAnswer::new(engine.clone(), CHAT);
        for piece in body.as_bytes().chunks(PIECE) {
            answer.write(piece, &mut out, &mut tally).map_err(|_| "stopped")?;
        }
        answer.end(&mut out, &mut tally).map_err(|_| "stopped")?;
        out.clear();
    }
    Ok(Seen { seconds: began.elapsed().as_secs_f64(), bytes: bodies.len(), found: 0 })
}

/// Runs requests, one a line.
///
/// # Errors
/// Where the pipeline refuses one.
pub fn requests(engine: &Rc<Engine>, bodies: &str) -> Result<Seen, Error> {
    let mut tally = Tally::default();
    let began = Instant::now();
    for body in bodies.lines() {
        let mut request = Request::new(engine.clone(), CHAT);
        for piece in body.as_bytes().chunks(PIECE) {
            request.write(piece, &mut tally).map_err(|fault| fault.word())?;
        }
        request.end(&mut tally).map_err(|fault| fault.word())?;
    }
    Ok(Seen { seconds: began.elapsed().as_secs_f64(), bytes: bodies.len(), found: 0 })
}

/// The events of a stream, each with the empty line that ends it.
pub fn events(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    std::iter::from_fn(move || {
        let end = memchr::memmem::find(rest, b"\n\n").map_or(rest.len(), |at| at + 2);
        let (event, more) = rest.split_at_checked(end).filter(|(event, _)| !event.is_empty())?;
        rest = more;
        Some(event)
    })
}

#[cfg(test)]
mod tests {
    use super::events;

    #[test]
    fn events_end_with_an_empty_line() {
        let found: Vec<&[u8]> = events(b"data: 1\n\ndata: 2\n\nda").collect();
        assert_eq!(found, [&b"data: 1\n\n"[..], b"data: 2\n\n", b"da"]);
    }
}
