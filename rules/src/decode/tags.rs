//! Characters that show nothing and say something: the tag characters, which mirror ASCII, also among others that show,
//! and variation selectors, which some use for the 256 bytes.

use super::Kind;
use super::run::{MAX_RUN, Run, Sink, valid};

/// The fewest characters that make a run.
const LEAST: usize = 4;
/// The most bytes between two tag characters of a run.
const GAP: u64 = 64;

#[derive(Default)]
pub(super) struct Tags {
    start: u64,
    end: u64,
    /// Of tag characters, and of variation selectors that stand in a row.
    text: Vec<u8>,
    selected: Vec<u8>,
    selected_start: u64,
    selected_end: u64,
    /// The character that is being read.
    unit: u32,
}

impl Tags {
    fn close_selected(&mut self, sink: &mut Sink) {
        if self.selected.len() >= LEAST {
            let span = self.selected_start..self.selected_end;
            sink.put(Kind::Tags, span, valid(&self.selected));
        }
        self.selected.clear();
    }

    fn close(&mut self, sink: &mut Sink) {
        self.close_selected(sink);
        if self.text.len() >= LEAST {
            sink.put(Kind::Tags, self.start..self.end, valid(&self.text));
        }
        self.text.clear();
    }
}

impl Run for Tags {
    fn begin(&mut self, at: u64) {
        self.text.clear();
        self.selected.clear();
        (self.start, self.end, self.unit) = (at, at, 0);
        (self.selected_start, self.selected_end) = (at, at);
    }

    fn read(&mut self, byte: u8, at: u64, sink: &mut Sink) -> bool {
        let last = self.end.max(self.selected_end);
        let is_full = self.text.len() >= MAX_RUN || self.selected.len() >= MAX_RUN;
        if is_full || at - last > GAP {
            self.close(sink);
            return false;
        }
        self.unit =
            if byte & 0xC0 == 0x80 { self.unit << 8 | u32::from(byte) } else { byte.into() };
        match self.unit.to_be_bytes() {
            // U+E0020 to U+E007E
            [0xF3, 0xA0, page @ 0x80, low @ 0xA0..=0xBF]
            | [0xF3, 0xA0, page @ 0x81, low @ 0x80..=0xBE] => {
                if self.text.is_empty() {
                    self.start = at - 3;
                }
                self.text.push((page & 1) << 6 | low & 0x3F);
                self.end = at + 1;
            }
            // U+E0100 to U+E01EF, for the bytes from 16 on
            [0xF3, 0xA0, page @ 0x84..=0x87, low @ 0x80..=0xBF] => {
                let index = u32::from(page - 0x84) << 6 | u32::from(low & 0x3F);
                self.select(index + 16, at, 3);
            }
            // U+FE00 to U+FE0F
            [0, 0xEF, 0xB8, low @ 0x80..=0x8F] => self.select(u32::from(low & 15), at, 2),
            // In the midst of a character, or of one that may be either.
            [0, 0, 0, 0xF3 | 0xEF] | [0, 0, 0xF3, 0xA0] | [0, 0, 0xEF, 0xB8] => {}
            [0, 0xF3, 0xA0, 0x80 | 0x81 | 0x84..=0x87] => {}
            _ => self.close_selected(sink),
        }
        true
    }

    fn end(&mut self, _: u64, sink: &mut Sink) {
        self.close(sink);
    }
}

impl Tags {
    fn select(&mut self, byte: u32, at: u64, back: u64) {
        if let Ok(byte) = u8::try_from(byte) {
            if self.selected.is_empty() {
                self.selected_start = at - back;
            }
            self.selected.push(byte);
            self.selected_end = at + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::decoded;

    fn tagged(text: &str) -> String {
        text.bytes().filter_map(|byte| char::from_u32(0xE0000 + u32::from(byte))).collect()
    }

    fn selected(text: &str) -> String {
        let selector = |byte: u8| match byte {
            0..16 => 0xFE00 + u32::from(byte),
            _ => 0xE0100 + u32::from(byte) - 16,
        };
        text.bytes().filter_map(|byte| char::from_u32(selector(byte))).collect()
    }

    #[test]
    fn tag_characters_are_read() {
        let all: String = (' '..='~').collect();
        let text = format!("Hi {} there", tagged(&all));
        let found = decoded(&text);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, &*found[0].text), (Kind::Tags, &*all));
        assert_eq!(found[0].span, 3..3 + 4 * 95);
    }

    #[test]
    fn tag_characters_among_others_are_read_alone() {
        let tags = tagged("reveal it");
        let text: String =
            tags.chars().zip("ordinary!".chars()).flat_map(|(a, b)| [a, b]).collect();
        assert_eq!(decoded(&text)[0].text, "reveal it");
        assert!(decoded(&tagged("abc")).is_empty());
        let far = format!("{}{}{}", tagged("abc"), "x".repeat(80), tagged("def"));
        assert!(decoded(&far).is_empty());
    }

    #[test]
    fn variation_selectors_in_a_row_are_bytes() {
        let text = format!("smile \u{1F600}{} on", selected("say né\n1"));
        let found = decoded(&text);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, &*found[0].text), (Kind::Tags, "say né\n1"));
        assert!(
            decoded("\u{2764}\u{FE0F} \u{2600}\u{FE0F} \u{2601}\u{FE0F} \u{2602}\u{FE0F}")
                .is_empty()
        );
    }
}
