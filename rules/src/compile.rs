//! Policy to immutable ruleset: everything that can fail because of a policy fails here, never on a stream.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::action::Action;
use crate::automaton::Automaton;
use crate::channel::{Channel, ChannelSet};
use crate::fold::{fold_str, squash};
use crate::granted::CompiledException;
use crate::keys::Keys;
use crate::openings::Openings;
use crate::packs;
use crate::pattern::{Class, MAX_PATHS, Options, Paths, Program, Threads};
use crate::policy::{
    self, Exposure, Mask, Mode, Policy, PolicyError, PolicyErrors, Rule, Sensitivity, Validator,
    ValidatorKind, View,
};
use crate::score::Model;
use crate::skip::Skip;
use crate::stand::Stands;
use crate::tools::ToolRules;
use crate::validate::credentials;

/// `maxLength` of a rule that states none, in characters.
pub const DEFAULT_MAX_LENGTH: u16 = 256;
/// `maxSpan` of an open-ended rule that states none, in bytes.
pub const DEFAULT_MAX_SPAN: u64 = 64 * 1024;

/// What a rule lets leave before a match is certain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    Nothing,
    Anchor,
    Characters(u16),
}

/// How a rule's attempts begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    Keywords,
    /// The first character, where no word character stands before it.
    WordStart,
    /// The first character, anywhere.
    Anywhere,
    /// A run of ignorable characters longer than a match may contain.
    InvisibleRun,
    /// The score of a part of the text.
    Score,
}

impl Trigger {
    /// Whether attempts begin at a character of the match itself, without a keyword.
    pub fn is_bare(self) -> bool {
        matches!(self, Trigger::WordStart | Trigger::Anywhere)
    }
}

#[derive(Clone, Debug)]
pub(crate) struct OpenEnded {
    pub body: Class,
    pub until: Option<Vec<char>>,
}

/// A validator with its parameters resolved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Check {
    Luhn,
    Iban,
    /// At least this many milli-bits a character.
    Entropy(u32),
    Crc32Base62,
    NotPlaceholder,
    /// Of at least so many characters.
    Random(usize),
    Password,
    Personal(ValidatorKind),
}

impl Check {
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Check::Luhn => crate::validate::luhn(text),
            Check::Iban => crate::validate::iban(text),
            Check::Entropy(min) => crate::validate::entropy(text) >= min,
            Check::Crc32Base62 => credentials::crc32_base62(text),
            Check::NotPlaceholder => !credentials::placeholder(text),
            Check::Random(least) => credentials::random(text, least),
            Check::Password => credentials::password(text),
            Check::Personal(kind) => crate::validate::personal::accepts(kind, text),
        }
    }
}

/// One rule as the scanner needs it.
#[derive(Debug)]
pub(crate) struct CompiledRule {
    pub id: String,
    pub view: View,
    pub program: Program,
    pub trigger: Trigger,
    pub before: u16,
    pub lead: Option<Class>,
    /// Characters of the shortest keyword.
    pub anchor: usize,
    pub max_length: u16,
    pub shown: Shown,
    pub validate: Vec<Check>,
    /// What a finding consists of, where its match begins with context.
    pub value: Option<Class>,
    /// ASCII characters directly behind which a rule without keywords does not begin.
    pub not_after: Option<Class>,
    pub open: Option<OpenEnded>,
    pub max_span: u64,
    pub mask: Mask,
    pub label: String,
    pub channels: ChannelSet,
    /// By channel: what the rule does there and whether it is enforced.
    pub actions: Vec<(ChannelSet, Action, Mode)>,
    /// Where its matches only add to the score, and so many points.
    pub hints: ChannelSet,
    pub hint: u16,
    /// Rules of one family count once.
    pub family: u16,
    /// Of a rule that acts by score.
    pub score: Option<Threshold>,
    /// Exceptions that name the rule, and whether one of them goes by fingerprint.
    pub exceptions: Vec<u16>,
    pub prints: bool,
}

/// Where several entries bring a rule in, the strictest counts.
pub(crate) fn strictness((action, mode): &(Action, Mode)) -> (bool, Action) {
    (*mode == Mode::Enforce, *action)
}

impl CompiledRule {
    pub fn action(&self, channel: Channel) -> Option<(Action, Mode)> {
        let here = self.actions.iter().filter(|(set, _, _)| set.contains(channel));
        here.map(|(_, action, mode)| (*action, *mode)).max_by_key(strictness)
    }

    /// Whether the rule does anything in one of these channels.
    pub fn acts(&self, scope: ChannelSet) -> bool {
        self.actions.iter().any(|(set, _, _)| set.intersects(scope))
    }

    /// Whether a match in `channel` changes what is passed on.
    pub fn enforced_on(&self, channel: Channel) -> bool {
        matches!(self.action(channel), Some((action, Mode::Enforce)) if action > Action::Audit)
    }

    /// Whether a rule without keywords may begin behind a character.
    pub fn begins_behind(&self, previous: Option<char>) -> bool {
        let barred = self.not_after.as_ref();
        !previous.is_some_and(|c| c.is_ascii() && barred.is_some_and(|class| class.contains(c)))
    }

    /// Where in a text that a match may end with its value begins: at a letter, a digit, `+` or `(` of the last run.
    pub fn value_in(&self, text: &str) -> usize {
        let Some(class) = &self.value else { return 0 };
        let rest = text.trim_end_matches(|c| class.contains(c)).len();
        let run = text.get(rest..).unwrap_or_default();
        let begins = |c: char| c.is_alphanumeric() || matches!(c, '+' | '(');
        text.len() - run.trim_start_matches(|c| !begins(c)).len()
    }

    /// The most characters that wait while an attempt is open, as the rule's view counts them. A pattern without end
    /// may read `maxLength` from the earliest place where a match could begin. Squashed matches and runs of ignorable
    /// characters are known when they are complete.
    fn hides(&self) -> usize {
        let run = matches!(self.trigger, Trigger::InvisibleRun | Trigger::Score);
        if self.view == View::Squashed || run {
            return 0;
        }
        let read = usize::from(self.max_length) + usize::from(self.before);
        let longest = self.program.max_len().unwrap_or(read);
        longest.saturating_sub(match self.shown {
            Shown::Nothing => 0,
            Shown::Anchor => self.anchor,
            Shown::Characters(n) => usize::from(n),
        })
    }
}

/// Which prefixes and attempts must be held on one channel.
#[derive(Debug, Default)]
pub(crate) struct HoldProfile {
    pub open: Vec<u16>,
    pub open_before: Vec<u16>,
    pub before: Vec<u16>,
    /// Some rule could hide text from its very first character.
    pub any_hidden_start: bool,
}

/// A compiled policy's rules: shared by all streams of a worker, and never changed.
#[derive(Debug, Default)]
pub struct Ruleset {
    rules: Vec<CompiledRule>,
    pub(crate) automaton: Automaton,
    pub(crate) squashed: Automaton,
    pub(crate) squashes: bool,
    /// By the side that a text is on.
    skips: Vec<(ChannelSet, Skip)>,
    pub(crate) max_before: u16,
    pub(crate) openings: Openings,
    pub(crate) stands: Stands,
    /// What scanning has found out; it changes nothing but the time.
    paths: Mutex<Paths>,
    holds: Vec<(ChannelSet, HoldProfile)>,
    /// Channels that some rule reads.
    channels: ChannelSet,
    tools: ToolRules,
    /// Channels of requests whose text is seen in other views, and what classifies them.
    viewed: ChannelSet,
    model: Option<Model>,
    pub(crate) exceptions: Vec<CompiledException>,
    pub(crate) keys: Keys,
}

impl Ruleset {
    /// Compiles the packs and rules of a policy.
    ///
    /// # Errors
    /// Every rule that cannot be compiled, with place, reason and cure.
    pub fn compile(policy: &Policy, keys: Keys) -> Result<Ruleset, PolicyErrors> {
        let mut sources = packs::resolve(policy)?;
        sources.extend(packs::own_rules(policy));
        let mut errors = Vec::new();
        let mut rules = Vec::with_capacity(sources.len());
        let mut keywords: Vec<(u16, Vec<u8>)> = Vec::new();
        let mut stands = Stands::default();
        let mut squashed: Vec<(u16, Vec<u8>)> = Vec::new();
        for source in &sources {
            match compile_rule(source) {
                Ok(rule) => {
                    let id = rules.len() as u16;
                    let own = source.rule.keywords.iter().map(|k| fold_str(k));
                    match rule.view {
                        View::Squashed => squashed
                            .extend(own.map(|k| (id, k.bytes().filter_map(squash).collect()))),
                        _ => {
                            keywords.extend(own.map(|k| (id, k.into_bytes())));
                            for written in &source.rule.keywords {
                                let folded = rule.view != View::Raw;
                                stands.push(id, &rule, &keyword(written, folded));
                            }
                        }
                    }
                    rules.push(rule);
                }
                Err(error) => errors.push(error),
            }
        }
        if !sources.iter().any(|source| source.score.is_some()) {
            let hints = sources.iter().filter(|source| source.rule.score.is_some());
            errors.extend(hints.map(|source| PolicyError {
                pointer: format!("{}/score", source.pointer),
                reason: "nothing in this policy acts by score".to_owned(),
                cure: "add the pack `injection`, or give the rule an action".to_owned(),
            }));
        }
        let exceptions = index_exceptions(policy, &mut rules, &mut errors);
        if !errors.is_empty() {
            return Err(PolicyErrors(errors));
        }
        let mut set = Ruleset { rules, stands, exceptions, keys, ..Ruleset::default() };
        let table: Vec<(u16, &[u8])> = keywords.iter().map(|(r, k)| (*r, k.as_slice())).collect();
        set.automaton = Automaton::new(&table);
        let squashed: Vec<(u16, &[u8])> =
            squashed.iter().map(|(r, k)| (*r, k.as_slice())).collect();
        set.squashes = !squashed.is_empty();
        set.squashed = Automaton::new(&squashed);
        set.max_before = set.rules.iter().map(|r| r.before).max().unwrap_or(0);
        set.channels = set.rules.iter().fold(ChannelSet::EMPTY, |all, r| all.union(r.channels));
        set.index_score(&sources);
        set.index_openings();
        set.index_holds(&table);
        set.index_skips(&table);
        set.tools = ToolRules::compile(&policy.spec);
        Ok(set)
    }

    fn index_openings(&mut self) {
        let rules = (0u16..).zip(&self.rules).filter(|(_, rule)| rule.trigger.is_bare());
        self.openings = Openings::new(
            rules.map(|(id, rule)| (id, &rule.program, rule.trigger == Trigger::WordStart)),
        );
    }

    fn index_score(&mut self, sources: &[Source<'_>]) {
        let scoring = self.rules.iter().filter(|rule| rule.score.is_some());
        let classifier = scoring.filter_map(|rule| rule.score).any(|score| score.classifier);
        let seen = self.rules.iter().filter(|rule| rule.view != View::Raw);
        self.viewed = seen.fold(ChannelSet::EMPTY, |all, rule| all.union(rule.channels));
        self.viewed = self.viewed.intersection(ChannelSet::REQUEST);
        self.model = if classifier { Model::built_in() } else { None };
        let families: Vec<&str> = sources.iter().map(Source::family).collect();
        for (rule, family) in self.rules.iter_mut().zip(&families) {
            let first = families.iter().position(|other| other == family);
            rule.family = first.unwrap_or_default() as u16;
        }
    }

    fn index_skips(&mut self, keywords: &[(u16, &[u8])]) {
        for side in [ChannelSet::REQUEST, ChannelSet::RESPONSE] {
            let reads = |rule: &&CompiledRule| rule.channels.intersects(side);
            let known = |id: &u16| self.rules.get(usize::from(*id)).filter(reads).is_some();
            let anchors = (0u32..).zip(keywords).filter(|(_, (id, _))| known(id));
            let anchors = anchors.map(|(at, (_, keyword))| (*keyword, self.stands.around(at)));
            let bare = self.rules.iter().filter(reads).filter(|r| r.trigger.is_bare());
            let programs = bare.map(|r| (&r.program, r.trigger == Trigger::WordStart));
            self.skips.push((side, Skip::new(anchors, programs)));
        }
    }

    fn index_holds(&mut self, keywords: &[(u16, &[u8])]) {
        for channel in ChannelSet::RESPONSE.iter() {
            let enforced: Vec<bool> = self.rules.iter().map(|r| r.enforced_on(channel)).collect();
            let acts = |id: u16| enforced.get(usize::from(id)).copied().unwrap_or(false);
            let rule = |id: u16| self.rules.get(usize::from(id));
            let found = |id: u16| rule(id).filter(|rule| acts(id) && rule.value.is_none());
            let hidden = |id: u16| match found(id)?.shown {
                Shown::Nothing => Some(0),
                Shown::Characters(n) => Some(n),
                Shown::Anchor => None,
            };
            let open = self.automaton.open_prefixes(keywords, hidden);
            let before: Vec<u16> = (0u16..)
                .zip(&self.rules)
                .filter(|(id, rule)| acts(*id) && rule.before > 0)
                .map(|(id, _)| id)
                .collect();
            let open_before = if before.is_empty() {
                Vec::new()
            } else {
                self.automaton.open_prefixes(keywords, |id| before.contains(&id).then_some(0))
            };
            let any_hidden_start = (0u16..)
                .zip(&self.rules)
                .any(|(id, rule)| acts(id) && (rule.shown == Shown::Nothing || rule.before > 0));
            let profile = HoldProfile { open, open_before, before, any_hidden_start };
            self.holds.push((ChannelSet::from(channel), profile));
        }
    }

    pub(crate) fn rule(&self, id: u16) -> Option<&CompiledRule> {
        self.rules.get(usize::from(id))
    }

    /// Where runs of the rules lead, for as long as a piece of text is scanned.
    pub(crate) fn paths(&self) -> MutexGuard<'_, Paths> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn invisible_run_rules(&self, scope: ChannelSet) -> Vec<u16> {
        (0u16..)
            .zip(&self.rules)
            .filter(|(_, r)| r.trigger == Trigger::InvisibleRun && r.channels.intersects(scope))
            .map(|(id, _)| id)
            .collect()
    }

    /// Whether text of these channels is scored and decoded: where a rule reads requests in another view than Raw.
    pub(crate) fn has_views(&self, scope: ChannelSet) -> bool {
        self.viewed.intersects(scope)
    }

    /// What scores text, beside the rules that hint.
    pub(crate) fn model(&self) -> Option<&Model> {
        self.model.as_ref()
    }

    /// The rules that act by score somewhere in these channels.
    pub(crate) fn scoring(&self, scope: ChannelSet) -> impl Iterator<Item = (u16, Threshold)> {
        let rules = (0u16..).zip(&self.rules);
        let reads = move |rule: &CompiledRule| rule.channels.intersects(scope);
        rules.filter(move |(_, r)| reads(r)).filter_map(|(id, r)| Some((id, r.score?)))
    }

    /// What lets clean text of these channels be skipped, if anything does.
    pub(crate) fn skip(&self, scope: ChannelSet) -> Option<&Skip> {
        if self.squashes {
            return None;
        }
        self.skips.iter().find(|(side, _)| scope.is_within(*side)).map(|(_, skip)| skip)
    }

    pub(crate) fn holds(&self, channel: Channel) -> Option<&HoldProfile> {
        self.holds.iter().find(|(set, _)| set.contains(channel)).map(|(_, profile)| profile)
    }

    /// The id of a rule, as policies and records name it.
    pub fn id(&self, rule: u16) -> &str {
        self.rule(rule).map_or("", |r| r.id.as_str())
    }

    /// The replacement that a rule's mask writes.
    pub fn label(&self, rule: u16) -> &str {
        self.rule(rule).map_or("", |r| r.label.as_str())
    }

    /// What a rule does on `channel`, and whether it is enforced there.
    pub fn action(&self, rule: u16, channel: Channel) -> Option<(Action, Mode)> {
        self.rule(rule)?.action(channel)
    }

    /// Whether any rule reads a channel of `scope`.
    pub fn reads(&self, scope: ChannelSet) -> bool {
        self.channels.intersects(scope)
    }

    /// Whether a rule may, in Enforce, take `action` on a channel of `scope`.
    pub fn can(&self, action: Action, scope: ChannelSet) -> bool {
        self.rules
            .iter()
            .flat_map(|r| &r.actions)
            .any(|(set, a, mode)| *a == action && *mode == Mode::Enforce && set.intersects(scope))
    }

    /// Ids of the rules that may hold text of a streamed answer's channel before a match is certain.
    pub fn holding(&self, channel: Channel) -> Vec<String> {
        let hidden = |r: &&CompiledRule| {
            r.enforced_on(channel) && (r.shown == Shown::Nothing || r.before > 0)
        };
        self.rules.iter().filter(hidden).map(|r| r.id.clone()).collect()
    }

    /// The most characters of a streamed answer's channel that may wait for a match to become certain: the beginning
    /// of a keyword, what `before` reaches back from there, or an open match less what it shows. Characters that a
    /// view drops or collapses come on top.
    pub fn held_characters(&self, channel: Channel) -> usize {
        let Some(profile) = self.holds(channel) else { return 0 };
        let most = |lengths: &[u16]| lengths.iter().copied().max().map_or(0, usize::from);
        let reach = profile.before.iter().filter_map(|id| self.rule(*id)).map(|r| r.before).max();
        let before = reach.map_or(0, |reach| usize::from(reach) + most(&profile.open_before));
        let acting = self.rules.iter().filter(|rule| rule.enforced_on(channel));
        let open = acting.map(CompiledRule::hides).max().unwrap_or(0);
        open.max(before).max(most(&profile.open))
    }

    /// The policy's keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// The tool policy.
    pub fn tools(&self) -> &ToolRules {
        &self.tools
    }

    /// Number of rules.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether there are no rules.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Bytes of heap memory of automata and programs, for `weir check`.
    pub fn memory(&self) -> usize {
        let programs: usize = self.rules.iter().map(|r| r.program.memory()).sum();
        let skips: usize = self.skips.iter().map(|(_, skip)| skip.memory()).sum();
        self.automaton.memory()
            + self.squashed.memory()
            + self.openings.memory()
            + self.stands.memory()
            + MAX_PATHS
            + programs
            + skips
    }
}

/// Tells each rule which exceptions name it.
fn index_exceptions(
    policy: &Policy,
    rules: &mut [CompiledRule],
    errors: &mut Vec<PolicyError>,
) -> Vec<CompiledException> {
    let all: Vec<CompiledException> =
        policy.spec.exceptions.iter().map(CompiledException::new).collect();
    for (at, exception) in (0u16..).zip(&all) {
        for (i, pattern) in exception.rules.iter().enumerate() {
            if !rules.iter().any(|rule| crate::tools::glob(pattern, &rule.id)) {
                errors.push(PolicyError {
                    pointer: format!("/spec/exceptions/{at}/rules/{i}"),
                    reason: format!("no rule that is active here fits `{pattern}`"),
                    cure: "name a rule of the policy or of one of its packs".to_owned(),
                });
            }
        }
        for rule in rules.iter_mut().filter(|rule| exception.names(&rule.id)) {
            rule.exceptions.push(at);
            rule.prints |= !exception.prints.is_empty();
        }
    }
    all
}

/// A rule with where it came from and what the policy makes of it.
pub(crate) struct Source<'a> {
    pub rule: std::borrow::Cow<'a, Rule>,
    /// JSON pointer of the rule, or of the pack entry that brought it.
    pub pointer: String,
    pub actions: Vec<(ChannelSet, Action, Mode)>,
    /// Where its matches add to the score, and so many points.
    pub hints: ChannelSet,
    pub hint: u16,
    pub score: Option<Threshold>,
}

/// When a rule acts by score.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Threshold {
    /// 1 to 1000.
    pub points: u16,
    /// Whether what the classifier says counts.
    pub classifier: bool,
}

impl<'a> Source<'a> {
    /// A rule that does nothing yet.
    pub fn of(rule: std::borrow::Cow<'a, Rule>, pointer: String) -> Source<'a> {
        let (actions, hints) = (Vec::new(), ChannelSet::EMPTY);
        Source { rule, pointer, actions, hints, hint: 0, score: None }
    }

    /// Its matches in these channels add to the score.
    pub fn hint(&mut self, channels: impl IntoIterator<Item = ChannelSet>, points: u16) {
        let hints = channels.into_iter().fold(self.hints, ChannelSet::union);
        self.hints = hints.intersection(ChannelSet::REQUEST);
        self.hint = points;
    }

    fn family(&self) -> &str {
        self.rule.score.as_ref().map_or(&self.rule.id, |score| &score.family)
    }
}

fn compile_rule(source: &Source<'_>) -> Result<CompiledRule, PolicyError> {
    let rule = source.rule.as_ref();
    let fail = |field: &str, reason: String, cure: String| PolicyError {
        pointer: format!("{}/{field}", source.pointer),
        reason,
        cure,
    };
    let folded = rule.view != View::Raw;
    let options = |ignore_case| Options { ignore_case, ..Options::default() };
    let field = if rule.opens.is_some() { "opens" } else { "regex" };
    let pattern = rule.opens.clone().or_else(|| rule.regex.clone()).unwrap_or_else(|| {
        let words: Vec<String> =
            rule.keywords.iter().map(|k| escape(&keyword(k, folded))).collect();
        words.join("|")
    });
    // What is triggered otherwise has a pattern that is never run.
    let invisible = rule.trigger.is_some();
    let pattern = if invisible { "\\x00".to_owned() } else { pattern };
    let program = Program::parse(&pattern, &options(folded))
        .map_err(|e| fail(field, format!("at character {}: {}", e.at, e.why), e.cure))?;
    if program.can_be_empty() {
        return Err(fail(
            field,
            "it matches the empty text".into(),
            "let it match at least one character".into(),
        ));
    }
    let first = program.first();
    let trigger = if let Some(trigger) = rule.trigger {
        match trigger {
            policy::Trigger::InvisibleRun => Trigger::InvisibleRun,
            policy::Trigger::Score => Trigger::Score,
        }
    } else if !rule.keywords.is_empty() {
        Trigger::Keywords
    } else if first.non_ascii || first.ascii.count_ones() > 48 || folded {
        return Err(fail(
            "keywords",
            "a rule without keywords must begin with a narrow class in `view: Raw`".into(),
            "name literal keywords that every match contains".into(),
        ));
    } else if first.boundary {
        Trigger::WordStart
    } else {
        Trigger::Anywhere
    };
    if rule.view == View::Squashed && (rule.regex.is_some() || rule.opens.is_some()) {
        return Err(fail(
            field,
            "the Squashed view matches keywords only".into(),
            "remove it, or use `view: Folded`".into(),
        ));
    }
    let class = |field: &str, text: &Option<String>| {
        let parsed = text.as_deref().map(Class::parse).transpose();
        parsed.map_err(|e| fail(field, format!("at character {}: {}", e.at, e.why), e.cure))
    };
    let value = class("value", &rule.value)?;
    let not_after = class("notAfter", &rule.not_after)?;
    if value.is_some()
        && (trigger != Trigger::Keywords || folded || rule.before > 0 || rule.regex.is_none())
    {
        return Err(fail(
            "value",
            "only a rule with keywords and a regex, in `view: Raw` without `before`, has it".into(),
            "remove it, or begin the regex with the keyword".into(),
        ));
    }
    if not_after.is_some() && !trigger.is_bare() {
        return Err(fail(
            "notAfter",
            "only a rule without keywords has it".into(),
            "write what stands before a keyword into the regex".into(),
        ));
    }
    let until = || rule.until.as_ref().map(|until| until.chars().collect());
    let open = class("body", &rule.body)?.map(|body| OpenEnded { body, until: until() });
    let lead = match rule.keywords.as_slice() {
        // Walking back compares characters as they came, so only the Raw view can.
        [only] if rule.before > 0 && !folded => program.lead(only).map(|lead| lead.class),
        _ => None,
    };
    let max_length = rule.max_length.unwrap_or(DEFAULT_MAX_LENGTH);
    if let Some(longest) = program.max_len()
        && longest > usize::from(max_length)
        && !invisible
    {
        return Err(fail(
            "maxLength",
            format!("the pattern matches up to {longest} characters, maxLength is {max_length}"),
            "raise maxLength (at most 512), bound the repeats, or leave the last one unbounded"
                .into(),
        ));
    }
    let keyword_only = rule.regex.is_none() && rule.opens.is_none();
    let shown = match (&rule.exposure, keyword_only) {
        (None, true) | (Some(Exposure::Nothing), _) => Shown::Nothing,
        (Some(Exposure::Anchor) | None, false) if value.is_some() => Shown::Nothing,
        (Some(Exposure::Characters(n)), _) => Shown::Characters(*n),
        (Some(Exposure::Anchor), _) | (None, false) if rule.before > 0 => Shown::Nothing,
        // A match that may be its anchor alone would be masked by nothing.
        (Some(Exposure::Anchor), false) | (None, false)
            if rule.opens.is_none() && may_be_anchor(rule, &program, folded) =>
        {
            Shown::Nothing
        }
        (Some(Exposure::Anchor), _) | (None, false) => Shown::Anchor,
    };
    let edits = source.actions.iter().any(|(_, a, _)| *a == Action::Mask);
    if keyword_only && shown == Shown::Anchor && edits && !invisible {
        return Err(fail(
            "exposure",
            "with `exposure: Anchor` the whole match stays visible".into(),
            "use `exposure: Nothing`, or add a `regex` that goes on after the keyword".into(),
        ));
    }
    if rule.view == View::Squashed || invisible {
        let held = source.actions.iter().any(|(set, action, _)| {
            *action > Action::Audit
                && *action < Action::Reject
                && set.intersects(ChannelSet::RESPONSE)
        });
        if held {
            return Err(fail(
                "channels",
                "it gives no horizon, so it cannot mask streamed responses".into(),
                "use Audit or Reject there, or name request channels only".into(),
            ));
        }
    }
    let anchors = rule.keywords.iter().map(|k| keyword(k, folded).chars().count());
    let channels = source.actions.iter().fold(source.hints, |all, (set, _, _)| all.union(*set));
    // The classifier was made for requests, and a score is known when a text has ended.
    let channels = match trigger {
        Trigger::Score => channels.intersection(ChannelSet::REQUEST),
        _ => channels,
    };
    Ok(CompiledRule {
        id: rule.id.clone(),
        view: rule.view,
        trigger,
        before: if trigger == Trigger::Keywords { rule.before } else { 0 },
        lead,
        anchor: anchors.min().unwrap_or(0),
        max_length,
        shown,
        validate: rule.validate.iter().map(check).collect(),
        value,
        not_after,
        open,
        max_span: rule.max_span.as_ref().map_or(DEFAULT_MAX_SPAN, |q| q.0),
        label: crate::mask::label(&rule.mask.clone().unwrap_or_default(), &rule.id),
        mask: rule.mask.clone().unwrap_or_default(),
        channels,
        actions: source.actions.clone(),
        hints: source.hints,
        hint: source.hint,
        family: 0,
        score: source.score,
        exceptions: Vec::new(),
        prints: false,
        program,
    })
}

fn check(validator: &Validator) -> Check {
    match validator.kind {
        ValidatorKind::Luhn => Check::Luhn,
        ValidatorKind::Iban => Check::Iban,
        ValidatorKind::Entropy => Check::Entropy((validator.min.unwrap_or(0.0) * 1000.0) as u32),
        ValidatorKind::Crc32Base62 => Check::Crc32Base62,
        ValidatorKind::NotPlaceholder => Check::NotPlaceholder,
        ValidatorKind::Random => {
            Check::Random(validator.min.map_or(credentials::LEAST, |min| min as usize))
        }
        ValidatorKind::Password => Check::Password,
        kind => Check::Personal(kind),
    }
}

fn keyword(keyword: &str, folded: bool) -> String {
    if folded { fold_str(keyword) } else { keyword.to_owned() }
}

/// Whether one of the rule's keywords is a whole match.
fn may_be_anchor(rule: &Rule, program: &Program, folded: bool) -> bool {
    rule.keywords.iter().any(|word| {
        let word = keyword(word, folded);
        let mut threads = Threads::new();
        threads.start(program, 0);
        let (mut at, mut previous) = (0, None);
        for c in word.chars() {
            let end = at + c.len_utf8() as u64;
            threads.step(program, previous, c, at, end);
            (at, previous) = (end, Some(c));
        }
        threads.finish(program, previous, at);
        threads.best() == Some((0, at))
    })
}

fn escape(literal: &str) -> String {
    literal.chars().fold(String::new(), |mut out, c| {
        if c.is_ascii_punctuation() {
            out.push('\\');
        }
        out.push(c);
        out
    })
}

/// The level from which a rule is active, as a number: a pack of sensitivity S runs rules whose level is at most S.
pub(crate) fn level(sensitivity: Option<Sensitivity>) -> u8 {
    match sensitivity {
        None | Some(Sensitivity::Low) => 0,
        Some(Sensitivity::Medium) => 1,
        Some(Sensitivity::High) => 2,
    }
}
