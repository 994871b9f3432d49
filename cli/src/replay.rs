//! `weir replay`: a recorded exchange through the pipeline that the module runs.

use std::io::{self, Write};

use weir_filter::sim::{Around, Pieces, Run};

use crate::args::Replay;
use crate::exchange::Exchange;
use crate::http::{self, Kind};
use crate::{Exit, cuts, policy, told};

/// Runs the exchange as the arguments say.
pub fn run(replay: &Replay, out: &mut dyn Write) -> io::Result<Exit> {
    let [request, answer] = replay.exchange.as_slice() else {
        return Err(io::Error::other("--exchange takes two files"));
    };
    let Some(guard) = policy::load(replay.policy.as_deref(), false)? else {
        return Ok(Exit::Bad);
    };
    let exchange = Exchange {
        request: http::read(request, Kind::Request)?,
        answer: http::read(answer, Kind::Response)?,
        around: Around { trailers: replay.trailers, ..Around::default() },
    };
    let pieces = if replay.cut == 0 { Pieces::Whole } else { Pieces::Every(replay.cut) };
    let whole = exchange.run(&guard, (pieces, pieces));
    if replay.raw {
        raw(&whole, out)?;
    } else if !replay.every_cut {
        told::exchange(&whole, &exchange.answer, out)?;
    }
    if !replay.every_cut {
        return Ok(Exit::Good);
    }
    let report = cuts::every(&guard, &exchange, &whole);
    if replay.raw {
        eprint!("{}", report.words);
    } else {
        write!(out, "{}", report.words)?;
    }
    Ok(if report.differ == 0 { Exit::Good } else { Exit::Bad })
}

fn raw(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let (headers, body) = &run.upstream;
    out.write_all(http::head(headers).as_bytes())?;
    out.write_all(body.as_deref().unwrap_or_default())?;
    // A line end between the two messages, so that the second head begins a line.
    out.write_all(b"\r\n")?;
    out.write_all(http::head(&run.client.headers).as_bytes())?;
    out.write_all(&run.client.body)
}
