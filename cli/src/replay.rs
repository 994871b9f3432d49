//! `weir replay`: a recorded exchange through the pipeline that the module runs.

use std::io::{self, IsTerminal, Write};
use std::rc::Rc;

use weir_filter::Engine;
use weir_filter::sim::{Message, Pieces, Run, run as simulate};

use crate::Exit;
use crate::args::Replay;
use crate::{http, policy};

/// Cuts between two words about progress.
const PROGRESS: usize = 5000;

/// Runs the exchange as the arguments say.
pub fn run(replay: &Replay, out: &mut dyn Write) -> io::Result<Exit> {
    let engine = policy::load(replay.policy.as_deref(), false)?;
    let [request, answer] = replay.exchange.as_slice() else {
        return Err(io::Error::other("--exchange takes two files"));
    };
    let (request, answer) = (http::read(request)?, http::read(answer)?);
    if replay.every_cut {
        return every_cut(&engine, &request, &answer, replay.trailers, out);
    }
    let pieces = if replay.cut == 0 { Pieces::Whole } else { Pieces::Every(replay.cut) };
    let run = simulate(&engine, &request, &answer, (pieces, pieces), replay.trailers);
    if replay.raw {
        raw(&run, out)?;
    } else {
        explain(&engine, &run, &answer, out)?;
    }
    Ok(Exit::Good)
}

fn raw(run: &Run, out: &mut dyn Write) -> io::Result<()> {
    let (headers, body) = &run.upstream;
    out.write_all(http::head(headers).as_bytes())?;
    out.write_all(body.as_deref().unwrap_or_default())?;
    out.write_all(b"\r\n")?;
    out.write_all(http::head(&run.client.headers).as_bytes())?;
    out.write_all(&run.client.body)
}

fn explain(engine: &Engine, run: &Run, answer: &Message, out: &mut dyn Write) -> io::Result<()> {
    let tally = &run.tally;
    writeln!(out, "policy {}: {}", engine.policy.metadata.name, tally.decision.word())?;
    for row in &tally.rows {
        let channel = row.channel.map_or("-", |c| c.name());
        writeln!(
            out,
            "  {} in {channel}: {} x{} ({:?})",
            row.rule, row.action, row.count, row.mode
        )?;
    }
    for fault in &tally.faults {
        writeln!(out, "  not inspected: {fault}")?;
    }
    match &run.upstream.1 {
        Some(body) => writeln!(out, "upstream: {} bytes of body", body.len())?,
        None => writeln!(out, "upstream: no byte of the body")?,
    }
    let status = run.client.headers.iter().find(|(n, _)| n == ":status").map(|(_, v)| v.as_str());
    writeln!(
        out,
        "client: status {}, {} bytes of body ({} came)",
        status.unwrap_or("none"),
        run.client.body.len(),
        answer.body.len()
    )?;
    writeln!(
        out,
        "held: {} of {} events; dropped: {} bytes",
        tally.held_events, tally.events, tally.dropped_bytes
    )?;
    writeln!(out, "record: {}", run.record)
}

/// What must not depend on how the bodies were cut.
type Outcome = (Vec<(String, String)>, Option<Vec<u8>>, Message);

fn outcome(run: Run) -> Outcome {
    (run.upstream.0, run.upstream.1, run.client)
}

fn every_cut(
    engine: &Rc<Engine>,
    request: &Message,
    answer: &Message,
    trailers: bool,
    out: &mut dyn Write,
) -> io::Result<Exit> {
    let run = |pieces| outcome(simulate(engine, request, answer, pieces, trailers));
    let whole = run((Pieces::Whole, Pieces::Whole));
    let tells = io::stderr().is_terminal();
    let requests = (1..request.body.len()).map(|at| ("request", (Pieces::At(at), Pieces::Whole), at));
    let answers = (1..answer.body.len()).map(|at| ("answer", (Pieces::Whole, Pieces::At(at)), at));
    let bytes = [("both", (Pieces::Every(1), Pieces::Every(1)), 1)];
    let (mut count, mut differ) = (0usize, 0usize);
    for (side, pieces, at) in requests.chain(answers).chain(bytes) {
        count += 1;
        if run(pieces) != whole {
            differ += 1;
            writeln!(out, "differs: {side} cut at byte {at}")?;
        }
        if tells && count % PROGRESS == 0 {
            eprintln!("weir: {count} cuts run");
        }
    }
    writeln!(out, "{count} cuts run, {differ} differ")?;
    Ok(if differ == 0 { Exit::Good } else { Exit::Bad })
}
