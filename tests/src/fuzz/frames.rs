//! Server-sent events: nothing is lost, and no cut changes what the events are.

use weir_filter::frame::{Frame, Sse};

use super::bytes::{Bytes, pieces};

/// The most bytes of one event, so low that inputs reach it.
const LIMIT: usize = 512;

/// The frames, and whether all of the stream could be read.
fn read(pieces: &[&[u8]]) -> (Vec<Frame>, bool) {
    let (mut sse, mut frames) = (Sse::new(LIMIT), Vec::new());
    let good = pieces.iter().all(|piece| sse.feed(piece, &mut |frame| frames.push(frame)).is_ok());
    if good {
        sse.end(&mut |frame| frames.push(frame));
    }
    (frames, good)
}

/// Text of the lines that a client or a scanner reads, in their order.
fn lines(frames: &[Frame]) -> Vec<Vec<u8>> {
    let content = |frame: &Frame, ranges: &[std::ops::Range<usize>]| -> Vec<Vec<u8>> {
        ranges.iter().map(|range| frame.raw[range.clone()].to_vec()).collect()
    };
    frames.iter().flat_map(|f| [content(f, &f.data), content(f, &f.other)].concat()).collect()
}

/// Checks one stream.
pub fn frames(input: &[u8]) {
    let mut bytes = Bytes(input);
    let cut = (bytes.byte(), bytes.byte());
    let stream = bytes.0;
    let (whole, good) = read(&[stream]);
    let joined: Vec<u8> = whole.iter().flat_map(|f| f.raw.iter().copied()).collect();
    if good {
        assert!(joined == stream, "bytes were lost");
    }
    let each: Vec<&[u8]> = stream.chunks(1).collect();
    for pieces in [pieces(stream, cut), each] {
        let (frames, same) = read(&pieces);
        assert_eq!(same, good, "one way is over the limit");
        assert_eq!(lines(&frames), lines(&whole));
        // The LF of a CRLF that was cut may stand alone behind the last event.
        let ends = |frames: &[Frame]| -> Vec<bool> {
            frames.iter().filter(|f| !f.comment_only).map(|f| f.terminated).collect()
        };
        assert_eq!(ends(&frames), ends(&whole));
    }
}
