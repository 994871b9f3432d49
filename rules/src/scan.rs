//! The streaming scanner of one channel: anchors by automaton, matches by resumable attempts, a horizon behind.
//!
//! Between two pushes it keeps two automaton states, the open attempts and a short tail of text. Everything reads in
//! lock-step, one character at a time, so findings, their order and their cost do not depend on where the text was cut.

use crate::attempt::{Attempt, MAX_IGNORABLE_RUN, Outcome};
use crate::automaton::START;
use crate::channel::{Channel, ChannelSet};
use crate::compile::{CompiledRule, Ruleset, Shown, Trigger};
use crate::finding::{Finding, Found, ScanError};
use crate::fold::{Folded, fold, fold_ascii, squash};
use crate::mask;
use crate::pattern::Paths;
use crate::policy::View;
use crate::run::Run;
use crate::score::Hint;
use crate::skip::{BACK, Fits, Next, Skip};
use crate::stand::{Behind, Open};
use crate::swallow::Swallow;
use crate::views::Views;
use crate::walk::{back_chars, back_folded, back_squashed};

/// Verification steps that every channel may spend before its text is counted.
pub const WORK_BASE: u64 = 16 * 1024;
/// Verification steps a channel may spend for each byte of text.
pub const WORK_PER_BYTE: u64 = 128;
/// Text is scanned in pieces of at most this many bytes, so that the retained tail stays in cache.
const PIECE: usize = 16 * 1024;
/// The most text one channel retains for open matches: `maxLength` 512 with ignorables between.
const MAX_RETAINED: usize = 192 * 1024;
/// Deeper in the automaton a keyword has shown more than is looked up at once.
const MAX_IDLE_DEPTH: usize = 4;
/// White space, or characters that Squashed drops, break a match after this many in a row.
const MAX_GAP: u32 = 256;
/// Attempts whose memory is kept.
const MAX_SPARE: usize = 2;
/// Where a run of white space is longer, the scanner just reads on.
const NEAR: usize = 8;

/// Scans one channel. Feed it with [`push`](Scanner::push), close it with [`end`](Scanner::end).
#[derive(Default)]
pub struct Scanner {
    text: String,
    base: u64,
    folded: u32,
    squashed: u32,
    previous: Option<char>,
    ignorable: u32,
    gap: u32,
    dropped: u32,
    run_start: u64,
    attempts: Vec<Attempt>,
    /// Memory of attempts that are over.
    spare: Vec<Run>,
    swallows: Vec<Swallow>,
    /// Per rule the end of its last match: anchors inside it are part of it.
    covered: Vec<(u16, u64)>,
    work: u64,
    /// Offset at which this text begins.
    origin: u64,
    /// The channels that this text may belong to.
    scope: ChannelSet,
    views: Option<Box<Views>>,
    /// Encodings that the text was within.
    depth: u8,
    /// What the last text that ended came to.
    score: Option<u16>,
}

impl Scanner {
    /// Offset after the last byte pushed.
    pub fn position(&self) -> u64 {
        self.base + self.text.len() as u64
    }

    /// The score of the text that ended last, 0 to 1000; none where nothing scores.
    pub fn score(&self) -> Option<u16> {
        self.score
    }

    /// Scans more text of this channel under the rules that read any channel of `scope`.
    pub fn push(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        text: &str,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        self.look(rules, scope, text)?;
        let mut rest = text;
        while !rest.is_empty() {
            let mut cut = rest.len().min(PIECE);
            while !rest.is_char_boundary(cut) {
                cut += 1;
            }
            let (piece, more) = rest.split_at_checked(cut).unwrap_or((rest, ""));
            self.piece(rules, scope, piece, out)?;
            rest = more;
        }
        Ok(())
    }

    /// A scanner of what was within so many encodings.
    pub(crate) fn within(depth: u8) -> Scanner {
        Scanner { depth, ..Scanner::default() }
    }

    /// Reads text of a request for its views.
    fn look(&mut self, rules: &Ruleset, scope: ChannelSet, text: &str) -> Result<(), ScanError> {
        self.scope = scope;
        if !rules.has_views(scope) {
            return Ok(());
        }
        let (at, depth) = (self.position(), self.depth);
        self.views.get_or_insert_default().push(rules, scope, depth, text, at)
    }

    /// The channel's text ends here: open attempts are decided. The scanner is then ready for a new text whose
    /// offsets go on from this one.
    ///
    /// # Errors
    /// As [`push`](Scanner::push), of what the last encoded run says; never on channels of answers.
    pub fn end(&mut self, rules: &Ruleset, out: &mut Vec<Found>) -> Result<(), ScanError> {
        self.finish(rules, &mut rules.paths(), out);
        for swallow in self.swallows.drain(..) {
            out.push(Found::Extended {
                rule: swallow.rule,
                start: swallow.start,
                end: swallow.at,
                last: true,
            });
        }
        let (end, depth) = (self.position(), self.depth);
        let spare = std::mem::take(&mut self.spare);
        let views = self.views.take();
        let scope = self.scope;
        *self = Scanner { base: end, origin: end, spare, depth, ..Scanner::default() };
        if let Some(views) = views {
            let score = views.end(rules, scope, depth, out)?;
            self.score = rules.scoring(scope).next().map(|_| score);
        }
        Ok(())
    }

    /// Decides the open attempts.
    fn finish(&mut self, rules: &Ruleset, paths: &mut Paths, out: &mut Vec<Found>) {
        let mut attempts = std::mem::take(&mut self.attempts);
        for attempt in &mut attempts {
            if let Some(rule) = rules.rule(attempt.rule) {
                attempt.finish(rule, paths);
            }
        }
        self.attempts = attempts;
        self.settle(rules, paths, out);
    }

    fn piece(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        piece: &str,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let from = self.text.len();
        if from + piece.len() > MAX_RETAINED {
            return Err(ScanError::Retained);
        }
        self.text.try_reserve(piece.len()).map_err(|_| ScanError::Retained)?;
        self.text.push_str(piece);
        self.anchors(rules, scope, from, &mut rules.paths(), out)?;
        self.trim(rules);
        Ok(())
    }

    /// Whatever is open reads the character that ends at `end`.
    fn read(
        &mut self,
        rules: &Ruleset,
        c: char,
        end: usize,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        self.swallow(rules, end, out)?;
        let folded = fold(c);
        let mut decided = false;
        for attempt in &mut self.attempts {
            if let Some(rule) = rules.rule(attempt.rule) {
                self.work += attempt.read(rule, c, &folded, paths);
            }
            decided |= attempt.outcome() != Outcome::Open;
        }
        if decided {
            self.settle(rules, paths, out);
            self.swallow(rules, end, out)?;
        }
        self.check_work(end)
    }

    /// Compares the steps taken with what the text up to `end` may cost.
    fn check_work(&self, end: usize) -> Result<(), ScanError> {
        if self.work > self.allowed(end) { Err(ScanError::Work) } else { Ok(()) }
    }

    /// The steps that the text up to `end` may cost.
    fn allowed(&self, end: usize) -> u64 {
        let fed = (self.base + end as u64).saturating_sub(self.origin);
        WORK_BASE + fed.saturating_mul(WORK_PER_BYTE)
    }

    /// The one walk over new text: automaton steps, triggers, runs of ignorable characters.
    fn anchors(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        from: usize,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let skip = rules.skip(scope);
        let (mut index, mut until) = (from, from);
        loop {
            if index >= until
                && let Some(skip) = skip
                && self.is_idle(rules, skip, index)
            {
                let next = self.skim(rules, scope, skip, &self.text, index, paths);
                self.jump(index, next.at);
                (index, until) = (next.at.max(index), next.until);
            }
            let Some(c) = self.text.get(index..).and_then(|t| t.chars().next()) else { break };
            let next = index + c.len_utf8();
            if !self.attempts.is_empty() || !self.swallows.is_empty() {
                self.read(rules, c, next, paths, out)?;
            }
            self.character(rules, scope, c, index..next, paths, out)?;
            self.previous = Some(c);
            index = next;
        }
        Ok(())
    }

    /// Nothing is open, and nothing that has begun can come to anything.
    fn is_idle(&self, rules: &Ruleset, skip: &Skip, index: usize) -> bool {
        let open = !self.attempts.is_empty() || !self.swallows.is_empty();
        if open || self.ignorable > 0 {
            return false;
        }
        let depth = usize::from(rules.automaton.depth(self.folded));
        depth == 0
            || depth < MAX_IDLE_DEPTH && {
                let text = self.text.as_bytes();
                let from = back_folded(&self.text, index, depth);
                let fails =
                    |at| !skip.may_begin(text, at) || walk(rules, skip, text, at, |_, _| false);
                index.saturating_sub(from) <= NEAR && (from..index).all(fails)
            }
    }

    /// Passes over text in which nothing begins, or only what fails at the next character.
    fn skim(
        &self,
        rules: &Ruleset,
        scope: ChannelSet,
        skip: &Skip,
        text: &str,
        from: usize,
        paths: &mut Paths,
    ) -> Next {
        skip.search(text.as_bytes(), from, |at, fits| {
            let before = match at.checked_sub(1).filter(|_| at > from) {
                Some(before) => text.as_bytes().get(before).copied().map(char::from),
                None => self.previous,
            };
            let bytes = text.as_bytes();
            if fits == Fits::Anything && self.begins_bare(rules, scope, bytes, at, before) {
                return false;
            }
            // A run of spaces begins where it does.
            let is_space = |byte: u8| byte.is_ascii() && fold_ascii(byte) == b' ';
            if bytes.get(at).copied().is_some_and(is_space)
                && before.is_some_and(|c| fold(c) == Folded::Space)
            {
                return true;
            }
            walk(rules, skip, bytes, at, |state, end| {
                self.fails(rules, scope, text, state, at..end, paths)
            })
        })
    }

    /// Whether a rule without keywords may begin at a place, behind `before`.
    fn begins_bare(
        &self,
        rules: &Ruleset,
        scope: ChannelSet,
        text: &[u8],
        at: usize,
        before: Option<char>,
    ) -> bool {
        let inside_word = before.is_some_and(is_word);
        let open = rules.openings.at(text, at, inside_word);
        open != 0
            && rules.openings.rules(open).filter_map(|id| rules.rule(id)).any(|rule| {
                rule.channels.intersects(scope)
                    && !(inside_word && rule.trigger == Trigger::WordStart)
                    && rule.begins_behind(before)
            })
    }

    /// Whether all keywords that are the text at `at`, and end in `state`, come to nothing at the next byte.
    fn fails(
        &self,
        rules: &Ruleset,
        scope: ChannelSet,
        text: &str,
        state: u32,
        at: std::ops::Range<usize>,
        paths: &mut Paths,
    ) -> bool {
        rules.automaton.own(state).iter().all(|output| {
            let Some(rule) = rules.rule(output.rule) else { return true };
            if !rule.channels.intersects(scope) {
                return true;
            }
            match behind(rules, rule, output.keyword, text, at.clone()) {
                Behind::Nothing => true,
                Behind::Known(open) => {
                    let next = text.as_bytes().get(at.end..).unwrap_or_default();
                    open.fails(output.rule, rule, next, paths)
                        || self.is_covered(output.rule, self.base + at.start as u64)
                }
                Behind::Unknown => false,
            }
        })
    }

    /// Leaves out text in which nothing can begin, and in which nothing is dropped.
    fn jump(&mut self, from: usize, to: usize) {
        let skipped = self.text.get(from..to).unwrap_or_default();
        let Some(last) = skipped.chars().next_back() else { return };
        self.previous = Some(last);
        self.folded = START;
        let is_space = |b: &u8| b.is_ascii() && fold_ascii(*b) == b' ';
        let gap = skipped.as_bytes().iter().rev().take_while(|b| is_space(b)).count();
        let before = if gap == skipped.len() { self.gap } else { 0 };
        self.gap = before.saturating_add(u32::try_from(gap).unwrap_or(u32::MAX));
    }

    #[inline]
    fn character(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        c: char,
        at: std::ops::Range<usize>,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let (index, next) = (at.start, at.end);
        if c.is_ascii() {
            let byte = c as u8;
            let in_word = self.previous.is_some_and(is_word);
            let open = rules.openings.at(self.text.as_bytes(), index, in_word);
            if open != 0 {
                self.opened(rules, scope, open, at, paths, out)?;
            }
            match fold_ascii(byte) {
                0 => self.ignorable(rules, scope, index, next, out),
                folded => {
                    self.visible(folded == b' ');
                    self.fold_step(rules, scope, folded, next, paths, out)?;
                }
            }
        } else {
            match fold(c) {
                Folded::Drop => self.ignorable(rules, scope, index, next, out),
                Folded::Space => {
                    self.visible(true);
                    self.fold_step(rules, scope, b' ', next, paths, out)?;
                }
                Folded::Chars(chars) => {
                    self.visible(false);
                    for byte in chars.as_str().bytes() {
                        self.fold_step(rules, scope, byte, next, paths, out)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn visible(&mut self, space: bool) {
        self.ignorable = 0;
        self.gap = if space { self.gap + 1 } else { 0 };
        if self.gap > MAX_GAP {
            self.folded = START;
        }
    }

    fn ignorable(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        index: usize,
        next: usize,
        out: &mut Vec<Found>,
    ) {
        if self.ignorable == 0 {
            self.run_start = self.base + index as u64;
        }
        self.ignorable = self.ignorable.saturating_add(1);
        if self.ignorable != MAX_IGNORABLE_RUN + 1 {
            return;
        }
        self.folded = START;
        self.squashed = START;
        for rule in rules.invisible_run_rules(scope) {
            let end = self.base + next as u64;
            out.push(Found::Match(Finding {
                rule,
                start: self.run_start,
                end,
                shown: self.run_start,
                mask: None,
                print: None,
                accepted: Vec::new(),
                open: true,
            }));
            self.swallows.push(Swallow {
                rule,
                start: self.run_start,
                at: end,
                class: None,
                matched: 0,
                reported: end,
            });
        }
    }

    #[inline]
    fn fold_step(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        byte: u8,
        next: usize,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let (state, hit) = rules.automaton.step(self.folded, byte);
        self.folded = state;
        if hit {
            self.hit(rules, scope, next, paths, out)?;
        }
        if rules.squashes {
            match squash(byte) {
                None => {
                    self.dropped += 1;
                    if self.dropped > MAX_GAP {
                        self.squashed = START;
                    }
                }
                Some(byte) => {
                    self.dropped = 0;
                    let (state, hit) = rules.squashed.step(self.squashed, byte);
                    self.squashed = state;
                    if hit {
                        self.squashed_hit(rules, scope, next, out);
                    }
                }
            }
        }
        Ok(())
    }

    fn hit(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        next: usize,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        for output in rules.automaton.outputs(self.folded) {
            let Some(rule) = rules.rule(output.rule) else { continue };
            if !rule.channels.intersects(scope) {
                continue;
            }
            let start = back_folded(&self.text, next, usize::from(output.length));
            match behind(rules, rule, output.keyword, &self.text, start..next) {
                Behind::Nothing => {}
                Behind::Known(open) => self.go_on(output.rule, rule, open, start..next, paths),
                Behind::Unknown => {
                    self.work += u64::from(output.length);
                    self.open(rules, output.rule, start..next, next, paths, out)?;
                }
            }
        }
        Ok(())
    }

    /// Goes on behind a keyword as every attempt of its rule does.
    fn go_on(
        &mut self,
        id: u16,
        rule: &CompiledRule,
        open: &Open,
        anchor: std::ops::Range<usize>,
        paths: &mut Paths,
    ) {
        let at = self.base + anchor.start as u64..self.base + anchor.end as u64;
        let next = self.text.as_bytes().get(anchor.end..).unwrap_or_default();
        if !open.fails(id, rule, next, paths) && !self.is_covered(id, at.start) {
            self.attempts.push(Attempt::behind(id, rule, at, open, paths));
        }
    }

    fn squashed_hit(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        next: usize,
        out: &mut Vec<Found>,
    ) {
        for output in rules.squashed.outputs(self.squashed) {
            let Some(rule) = rules.rule(output.rule) else { continue };
            if !rule.channels.intersects(scope) {
                continue;
            }
            let start =
                self.base + back_squashed(&self.text, next, usize::from(output.length)) as u64;
            let end = self.base + next as u64;
            if self.is_covered(output.rule, start) {
                continue;
            }
            self.cover(output.rule, end);
            let mask = self.mask(rule, start, end);
            let (print, accepted) = rules.printed(output.rule, self.between(start, end));
            out.push(Found::Match(Finding {
                rule: output.rule,
                start,
                end,
                shown: start,
                mask,
                print,
                accepted,
                open: false,
            }));
        }
    }

    /// Begins what has no keyword and may begin here.
    fn opened(
        &mut self,
        rules: &Ruleset,
        scope: ChannelSet,
        open: u32,
        at: std::ops::Range<usize>,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let inside_word = self.previous.is_some_and(is_word);
        for id in rules.openings.rules(open) {
            let Some(rule) = rules.rule(id) else { continue };
            if !rule.channels.intersects(scope)
                || (inside_word && rule.trigger == Trigger::WordStart)
                || !rule.begins_behind(self.previous)
            {
                continue;
            }
            self.open(rules, id, at.start..at.start, at.end, paths, out)?;
        }
        Ok(())
    }

    /// Opens an attempt at an anchor and reads up to `end`.
    fn open(
        &mut self,
        rules: &Ruleset,
        id: u16,
        anchor: std::ops::Range<usize>,
        end: usize,
        paths: &mut Paths,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let Some(rule) = rules.rule(id) else { return Ok(()) };
        let base = self.base;
        let anchored = base + anchor.start as u64;
        if self.is_covered(id, anchored) {
            return Ok(());
        }
        let first =
            back_chars(&self.text, anchor.start, usize::from(rule.before), rule.lead.as_ref());
        let previous = character_before(&self.text, rule, first);
        let at = anchored..base + anchor.end as u64;
        let mut attempt = match rule.trigger {
            Trigger::WordStart | Trigger::Anywhere => {
                Attempt::unanchored(id, rule, anchored, previous, paths)
            }
            _ if rule.before == 0 => Attempt::at(id, rule, at, previous, paths),
            _ => Attempt::new(id, base + first as u64, at, previous, self.spare.pop()),
        };
        self.work += attempt.advance(rule, self.text.get(..end).unwrap_or_default(), base, paths);
        self.check_work(end)?;
        let decided = attempt.outcome() != Outcome::Open;
        match attempt.outcome() {
            Outcome::Failed if self.spare.len() >= MAX_SPARE => {}
            Outcome::Failed => self.spare.extend(attempt.take_run()),
            _ => self.attempts.push(attempt),
        }
        if decided {
            self.settle(rules, paths, out);
            self.swallow(rules, end, out)?;
        }
        Ok(())
    }

    /// Reports decided attempts, a rule's earlier ones first, and drops what they cover.
    fn settle(&mut self, rules: &Ruleset, paths: &Paths, out: &mut Vec<Found>) {
        let mut attempts = std::mem::take(&mut self.attempts);
        for at in 0..attempts.len() {
            let (earlier, rest) = attempts.split_at_mut(at);
            let Some(attempt) = rest.first_mut() else { break };
            let Outcome::Matched { start, end, cut } = attempt.outcome() else { continue };
            if !earlier.iter().any(|a| a.rule == attempt.rule && a.outcome() == Outcome::Open) {
                if !self.is_covered(attempt.rule, attempt.anchor_start) {
                    self.matched(rules, attempt, start..end, cut, paths, out);
                }
                attempt.give_up();
            }
        }
        attempts.retain_mut(|attempt| {
            let stays = attempt.outcome() != Outcome::Failed;
            if !stays && self.spare.len() < MAX_SPARE {
                self.spare.extend(attempt.take_run());
            }
            stays
        });
        self.attempts = attempts;
    }

    fn matched(
        &mut self,
        rules: &Ruleset,
        attempt: &Attempt,
        span: std::ops::Range<u64>,
        cut: bool,
        paths: &Paths,
        out: &mut Vec<Found>,
    ) {
        let (id, end) = (attempt.rule, span.end);
        let Some(rule) = rules.rule(id) else { return };
        let start = self.value_start(rule, attempt, end).unwrap_or(span.start);
        let text = self.between(start, end);
        if start == end || !rule.validate.iter().all(|v| v.accepts(text)) {
            return;
        }
        let shown = match rule.shown {
            Shown::Nothing => start,
            Shown::Anchor => attempt.anchor_end.clamp(start, end),
            Shown::Characters(n) => text
                .char_indices()
                .nth(usize::from(n))
                .map_or(end, |(index, _)| start + index as u64),
        };
        let class = match &rule.open {
            Some(open) => Some(open.body.clone()),
            None if cut => attempt.looping_class(rule, paths).cloned(),
            None => None,
        };
        let open = class.is_some();
        let mask = if open { None } else { self.mask(rule, shown, end) };
        // What is not over yet has no fingerprint, so that it is the same at every cut.
        let (print, accepted) = if open { (None, Vec::new()) } else { rules.printed(id, text) };
        if rule.hints.intersects(self.scope)
            && let Some(views) = &mut self.views
        {
            views.hint(Hint { span: start..end, family: rule.family, weight: rule.hint });
        }
        if rule.acts(self.scope) {
            if let Some(views) = &mut self.views {
                views.seen(id, start..end);
            }
            out.push(Found::Match(Finding {
                rule: id,
                start,
                end,
                shown,
                mask,
                print,
                accepted,
                open,
            }));
        }
        self.cover(id, end);
        if let Some(class) = class {
            self.swallows.push(Swallow {
                rule: id,
                start,
                at: end,
                class: Some(class),
                matched: 0,
                reported: end,
            });
        }
    }

    fn mask(&self, rule: &CompiledRule, start: u64, end: u64) -> Option<Box<str>> {
        mask::computed(&rule.mask, self.between(start, end))
    }

    /// Retained text by its offsets in the channel.
    fn between(&self, start: u64, end: u64) -> &str {
        let from = usize::try_from(start.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let to = usize::try_from(end.saturating_sub(self.base)).unwrap_or(usize::MAX);
        self.text.get(from..to).unwrap_or_default()
    }

    fn is_covered(&self, rule: u16, at: u64) -> bool {
        self.swallows.iter().any(|s| s.rule == rule)
            || self.covered.iter().any(|(r, end)| *r == rule && at < *end)
    }

    fn cover(&mut self, rule: u16, end: u64) {
        match self.covered.iter_mut().find(|(r, _)| *r == rule) {
            Some(entry) => entry.1 = entry.1.max(end),
            None => self.covered.push((rule, end)),
        }
    }

    /// Lets open-ended matches run over the text up to `until`.
    fn swallow(
        &mut self,
        rules: &Ruleset,
        until: usize,
        out: &mut Vec<Found>,
    ) -> Result<(), ScanError> {
        let mut at = 0;
        while let Some(swallow) = self.swallows.get_mut(at) {
            let Some(rule) = rules.rule(swallow.rule) else {
                self.swallows.remove(at);
                continue;
            };
            let from = usize::try_from(swallow.at.saturating_sub(self.base)).unwrap_or(usize::MAX);
            let mut over = false;
            for c in self.text.get(from..until).unwrap_or_default().chars() {
                let (taken, done) = swallow.take(rule, c);
                if taken {
                    swallow.at += c.len_utf8() as u64;
                }
                if done {
                    over = true;
                    break;
                }
            }
            if swallow.at - swallow.start > rule.max_span {
                return Err(ScanError::Span);
            }
            let (rule, start, end) = (swallow.rule, swallow.start, swallow.at);
            // Once a piece is enough: a finding for each character would outweigh the text.
            if over || (end > swallow.reported && until == self.text.len()) {
                swallow.reported = end;
                out.push(Found::Extended { rule, start, end, last: over });
            }
            if over {
                self.swallows.remove(at);
                self.cover(rule, end);
                self.attempts.retain(|a| a.rule != rule || a.anchor_start >= end);
            } else {
                at += 1;
            }
        }
        Ok(())
    }

    /// Forgets the text that nothing open can need.
    fn trim(&mut self, rules: &Ruleset) {
        let end = self.text.len();
        let partial = self.partial_start(rules.automaton.depth(self.folded));
        let mut keep = back_chars(&self.text, partial, usize::from(rules.max_before) + 1, None);
        if rules.squashes {
            let depth = usize::from(rules.squashed.depth(self.squashed));
            keep = keep.min(back_squashed(&self.text, end, depth));
        }
        for attempt in &self.attempts {
            let from = attempt.earliest().min(attempt.first).saturating_sub(self.base);
            keep = keep.min(usize::try_from(from).unwrap_or(0));
        }
        if keep > 0 && self.text.is_char_boundary(keep) {
            self.text.drain(..keep);
            self.base += keep as u64;
        }
        let behind = self.base;
        self.covered.retain(|(_, end)| *end > behind);
    }

    fn partial_start(&self, depth: u16) -> usize {
        if depth == 0 {
            return self.text.len();
        }
        back_folded(&self.text, self.text.len(), usize::from(depth))
    }

    /// Where the earliest edit could begin that a finding in `channel` may still cause. `u64::MAX`: none could
    /// begin before text that has not been pushed yet, and none can reach back into a character being received.
    pub fn horizon(&self, rules: &Ruleset, channel: Channel) -> u64 {
        let Some(profile) = rules.holds(channel) else { return u64::MAX };
        let mut horizon = if profile.any_hidden_start { self.position() } else { u64::MAX };
        let open = profile.open.get(self.folded as usize).copied().unwrap_or(0);
        if open > 0 {
            horizon = horizon.min(self.base + self.partial_start(open) as u64);
        }
        for &id in &profile.before {
            let Some(rule) = rules.rule(id) else { continue };
            let partial = self
                .partial_start(profile.open_before.get(self.folded as usize).copied().unwrap_or(0));
            let start =
                back_chars(&self.text, partial, usize::from(rule.before), rule.lead.as_ref());
            horizon = horizon.min(self.base + start as u64);
        }
        for attempt in &self.attempts {
            let Some(rule) = rules.rule(attempt.rule) else { continue };
            if !rule.enforced_on(channel) {
                continue;
            }
            let mut first = attempt.earliest();
            if let Some(value) = self.value_start(rule, attempt, self.position()) {
                // A match may be complete already, and its value another.
                let ended = attempt.ended().and_then(|end| self.value_start(rule, attempt, end));
                first = value.min(ended.unwrap_or(value));
            }
            let held = match rule.shown {
                Shown::Nothing => first,
                Shown::Anchor => attempt.anchor_end,
                Shown::Characters(n) => self.skip_chars(first, n),
            };
            horizon = horizon.min(held);
        }
        horizon
    }

    /// Where the value begins of a match that ends at `end`; none where a match is its own value.
    fn value_start(&self, rule: &CompiledRule, attempt: &Attempt, end: u64) -> Option<u64> {
        rule.value.as_ref()?;
        let from = attempt.anchor_end.min(end);
        Some(from + rule.value_in(self.between(from, end)) as u64)
    }

    fn skip_chars(&self, from: u64, n: u16) -> u64 {
        let index = usize::try_from(from.saturating_sub(self.base)).unwrap_or(usize::MAX);
        let text = self.text.get(index..).unwrap_or_default();
        let skipped = text.char_indices().nth(usize::from(n)).map_or(text.len(), |(i, _)| i);
        from + skipped as u64
    }
}

/// How an attempt of a rule stands behind its keyword.
fn behind<'r>(
    rules: &'r Ruleset,
    rule: &CompiledRule,
    keyword: u32,
    text: &str,
    at: std::ops::Range<usize>,
) -> Behind<'r> {
    let in_word = character_before(text, rule, at.start).is_some_and(is_word);
    let found = text.as_bytes().get(at).unwrap_or_default();
    rules.stands.behind(keyword, found, in_word)
}

/// The character before a place, as the rule's view has it.
fn character_before(text: &str, rule: &CompiledRule, at: usize) -> Option<char> {
    match text.get(..at).and_then(|t| t.chars().next_back()) {
        Some(c) if rule.view != View::Raw => match fold(c) {
            Folded::Space => Some(' '),
            Folded::Chars(chars) => chars.as_str().chars().next_back(),
            Folded::Drop => None,
        },
        other => other,
    }
}

/// Reads on from a place for as long as a keyword may go on. `ended` is told of each that ends, by state and end, and
/// says whether that comes to nothing. Whether everything did; not where more text, or what a view replaces, decides.
fn walk(
    rules: &Ruleset,
    skip: &Skip,
    text: &[u8],
    at: usize,
    mut ended: impl FnMut(u32, usize) -> bool,
) -> bool {
    let mut state = START;
    let (mut depth, mut spaces) = (0, 0);
    for (end, byte) in (at + 1..).zip(text.get(at..).unwrap_or_default()) {
        let byte = if byte.is_ascii() { fold_ascii(*byte) } else { *byte };
        if byte == 0 || skip.is_odd(byte) {
            return false;
        }
        let (next, hit) = rules.automaton.step(state, byte);
        if next == state && byte == b' ' && next != START {
            spaces += 1;
            if spaces > NEAR {
                return false;
            }
            continue;
        }
        depth += 1;
        if rules.automaton.depth(next) != depth {
            return true;
        }
        if hit && !rules.automaton.own(next).is_empty() && !ended(next, end) {
            return false;
        }
        state = next;
    }
    false
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The longest text that is looked at as a whole before a scanner is made for it, in bytes.
const SHORT: usize = 256;

/// Whether nothing begins in a short complete text; it may say no of a clean one.
fn is_plain(rules: &Ruleset, scope: ChannelSet, text: &str) -> bool {
    // Line ends behind it, so that everything in it is looked at.
    let mut padded = [b'\n'; SHORT + 2 * BACK];
    let (Some(skip), Some(start)) = (rules.skip(scope), padded.get_mut(..text.len())) else {
        return false;
    };
    if text.len() > SHORT {
        return false;
    }
    start.copy_from_slice(text.as_bytes());
    let padded = padded.get(..text.len() + 2 * BACK).unwrap_or_default();
    let Ok(padded) = std::str::from_utf8(padded) else { return false };
    Scanner::default().skim(rules, scope, skip, padded, 0, &mut rules.paths()).at >= text.len()
}

/// Scans a complete text. Findings are sorted by start, then rule, and none is open any more.
///
/// # Errors
/// As [`Scanner::push`].
pub fn scan_whole(
    rules: &Ruleset,
    scope: ChannelSet,
    text: &str,
) -> Result<Vec<Finding>, ScanError> {
    let (mut scanner, mut found) = (Scanner::default(), Vec::new());
    if is_plain(rules, scope, text) {
        scanner.look(rules, scope, text)?;
    } else {
        scanner.push(rules, scope, text, &mut found)?;
    }
    scanner.end(rules, &mut found)?;
    Ok(closed(found))
}

/// Joins open findings with what extended them.
pub fn closed(found: Vec<Found>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for one in found {
        match one {
            Found::Match(finding) => findings.push(finding),
            Found::Extended { rule, start, end, .. } => {
                let same = |f: &&mut Finding| f.rule == rule && f.start == start;
                if let Some(finding) = findings.iter_mut().rev().find(same) {
                    finding.end = finding.end.max(end);
                }
            }
        }
    }
    for finding in &mut findings {
        finding.open = false;
    }
    findings.sort_unstable_by_key(|f| (f.start, f.rule, f.end));
    findings
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests;
