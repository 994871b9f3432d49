//! Tool calls of a stream: named once, held whole, judged when complete.

use weir_rules::Channel;

use crate::engine::Engine;
use crate::tally::Tally;

/// The most tool calls of one stream.
const MAX_CALLS: usize = 1024;

/// One call of a choice, or one `tool_use` block.
pub struct Call {
    pub group: u32,
    pub call: u32,
    pub name: String,
    /// `None` until the call is complete.
    pub denied: Option<bool>,
    /// The note was written in its place.
    pub noted: bool,
}

/// All calls of a stream, in order of their beginning.
#[derive(Default)]
pub struct Calls {
    list: Vec<Call>,
}

impl Calls {
    /// The call, begun if it is new. `None` past the limit.
    pub fn open(&mut self, group: u32, call: u32) -> Option<&mut Call> {
        let known = self.list.iter().position(|c| c.group == group && c.call == call);
        let at = match known {
            Some(at) => at,
            None if self.list.len() >= MAX_CALLS => return None,
            None => {
                let name = String::new();
                self.list.push(Call { group, call, name, denied: None, noted: false });
                self.list.len() - 1
            }
        };
        self.list.get_mut(at)
    }

    /// The call, if it has begun.
    pub fn get(&mut self, group: u32, call: u32) -> Option<&mut Call> {
        self.list.iter_mut().find(|c| c.group == group && c.call == call)
    }

    /// Judges the open calls of `group` but `except`.
    pub fn judge(&mut self, engine: &Engine, group: u32, except: Option<u32>, tally: &mut Tally) {
        for call in &mut self.list {
            if call.group != group || call.denied.is_some() || Some(call.call) == except {
                continue;
            }
            let channel = Channel::ResponseToolCall;
            call.denied = Some(tally.tool(&engine.rules, &call.name, channel));
        }
    }

    /// Whether the call may leave, or be replaced: `None` while it is not judged.
    pub fn verdict(&self, group: u32, call: u32) -> Option<bool> {
        self.list.iter().find(|c| c.group == group && c.call == call).and_then(|c| c.denied)
    }

    /// How many calls of `group` before `call` were taken out.
    pub fn denied_before(&self, group: u32, call: u32) -> u32 {
        let denied = |c: &&Call| c.group == group && c.call < call && c.denied == Some(true);
        self.list.iter().filter(denied).count() as u32
    }

    /// Whether the group called tools and every call was taken out.
    pub fn all_denied(&self, group: u32) -> bool {
        let mut own = self.list.iter().filter(|c| c.group == group).peekable();
        own.peek().is_some() && own.all(|c| c.denied == Some(true))
    }
}
