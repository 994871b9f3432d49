//! Answers and requests through the pipeline, without a host.

use std::rc::Rc;

use weir_filter::Engine;
use weir_filter::answer::{JsonAnswer, Stop, StreamAnswer};
use weir_filter::dialect::Dialect;
use weir_filter::request::{BodyFault, Request, Verdict};
use weir_filter::tally::Tally;

/// What came of an answer.
pub struct Answered {
    pub out: Vec<u8>,
    pub stop: Option<Stop>,
    pub tally: Tally,
    /// Length of `out` after each piece.
    pub released: Vec<usize>,
}

/// Runs an answer that arrives in `pieces`.
pub fn answer(engine: &Rc<Engine>, dialect: Dialect, streamed: bool, pieces: &[&[u8]]) -> Answered {
    let (mut out, mut tally, mut released) = (Vec::new(), Tally::default(), Vec::new());
    let mut stream = StreamAnswer::new(engine.clone(), dialect);
    let mut json = JsonAnswer::new(engine.clone(), dialect);
    let mut result = Ok(());
    for (now, piece) in pieces.iter().enumerate() {
        result = if streamed {
            stream.write(piece, now as u64, &mut out, &mut tally)
        } else {
            json.write(piece, &mut out, &mut tally)
        };
        released.push(out.len());
        if result.is_err() {
            break;
        }
    }
    if result.is_ok() {
        result = if streamed {
            stream.end(pieces.len() as u64, &mut out, &mut tally)
        } else {
            json.end(&mut out, &mut tally)
        };
    }
    Answered { out, stop: result.err(), tally, released }
}

/// What came of a request.
pub struct Requested {
    pub verdict: Result<Verdict, BodyFault>,
    pub body: Vec<u8>,
    pub tally: Tally,
}

/// Runs a request that arrives in `pieces`.
pub fn request(engine: &Rc<Engine>, dialect: Dialect, pieces: &[&[u8]]) -> Requested {
    let mut tally = Tally::default();
    let mut request = Request::new(engine.clone(), dialect);
    let mut verdict = Ok(Verdict::Pass);
    for piece in pieces {
        if let Err(fault) = request.write(piece, &mut tally) {
            verdict = Err(fault);
            break;
        }
    }
    if verdict.is_ok() {
        verdict = request.end(&mut tally);
    }
    Requested { verdict, body: request.into_body(), tally }
}
