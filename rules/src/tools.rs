//! Tool access by name: which functions a model may be offered and may call.

use crate::policy::{Mode, Spec, ToolAction, Tools};

/// What the tool policy says of one tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolVerdict<'a> {
    pub action: ToolAction,
    /// The rule that decided; `None` is the default action.
    pub rule: Option<&'a str>,
    pub mode: Mode,
}

#[derive(Debug)]
struct CompiledTool {
    id: String,
    globs: Vec<String>,
    action: ToolAction,
    mode: Mode,
}

/// One compiled section. Deny wins over Allow whatever the order; without a matching rule the default acts.
#[derive(Debug, Default)]
struct Layer {
    rules: Vec<CompiledTool>,
    default: Option<(ToolAction, Mode)>,
}

/// The compiled tool policy: the platform's section and the policy's. Both must allow a call.
#[derive(Debug, Default)]
pub struct ToolRules(Vec<Layer>);

impl ToolRules {
    /// Compiles the sections; without one every tool is allowed.
    pub fn compile(spec: &Spec) -> ToolRules {
        let sections = [&spec.baseline_tools, &spec.tools];
        ToolRules(sections.into_iter().flatten().map(|s| Layer::compile(s, spec.mode)).collect())
    }

    /// Whether some tool could be denied, so that calls must be held whole until they are judged.
    pub fn can_deny(&self) -> bool {
        self.0.iter().any(Layer::can_deny)
    }

    /// Whether there is anything to say about tools, enforced or in Shadow.
    pub fn reads(&self) -> bool {
        self.0.iter().any(Layer::reads)
    }

    /// Judges a tool by its name: the strictest of the sections' verdicts, the platform's first.
    pub fn judge(&self, name: &str) -> ToolVerdict<'_> {
        let allowed = ToolVerdict { action: ToolAction::Allow, rule: None, mode: Mode::Enforce };
        let strictness =
            |v: &ToolVerdict<'_>| (v.action == ToolAction::Deny, v.mode == Mode::Enforce);
        let stricter = |a, b| if strictness(&b) > strictness(&a) { b } else { a };
        self.0.iter().map(|layer| layer.judge(name)).reduce(stricter).unwrap_or(allowed)
    }
}

impl Layer {
    fn compile(tools: &Tools, mode: Mode) -> Layer {
        let rules = tools.rules.iter().map(|rule| CompiledTool {
            id: rule.id.clone(),
            globs: rule.tools.clone(),
            action: rule.action,
            mode: stricter_shadow(mode, rule.mode),
        });
        Layer { rules: rules.collect(), default: Some((tools.default_action, mode)) }
    }

    fn can_deny(&self) -> bool {
        let rule = |r: &CompiledTool| r.action == ToolAction::Deny && r.mode == Mode::Enforce;
        self.default == Some((ToolAction::Deny, Mode::Enforce)) || self.rules.iter().any(rule)
    }

    fn reads(&self) -> bool {
        let denies = |r: &CompiledTool| r.action == ToolAction::Deny;
        self.default.is_some_and(|(a, _)| a == ToolAction::Deny) || self.rules.iter().any(denies)
    }

    /// Judges a tool by its name: what is enforced, else what would be denied if nothing were in Shadow.
    fn judge(&self, name: &str) -> ToolVerdict<'_> {
        let enforced = self.outcome(name, Mode::Enforce);
        if enforced.action == ToolAction::Deny {
            return enforced;
        }
        let shadow = self.outcome(name, Mode::Shadow);
        if shadow.action == ToolAction::Deny { shadow } else { enforced }
    }

    /// Deny by rule, else Allow by rule, else the default: of what is enforced, or of everything as if it were.
    fn outcome(&self, name: &str, mode: Mode) -> ToolVerdict<'_> {
        let counts = |own: Mode| mode == Mode::Shadow || own == Mode::Enforce;
        let hit = |action: ToolAction| {
            self.rules.iter().find(|r| {
                r.action == action && counts(r.mode) && r.globs.iter().any(|g| glob(g, name))
            })
        };
        if let Some(rule) = hit(ToolAction::Deny).or_else(|| hit(ToolAction::Allow)) {
            return ToolVerdict { action: rule.action, rule: Some(&rule.id), mode };
        }
        let default = self.default.filter(|(_, own)| counts(*own)).map(|(action, _)| action);
        ToolVerdict { action: default.unwrap_or_default(), rule: None, mode }
    }
}

/// Shadow anywhere above or on a rule makes the rule shadow.
pub(crate) fn stricter_shadow(outer: Mode, inner: Option<Mode>) -> Mode {
    match (outer, inner) {
        (Mode::Shadow, _) | (_, Some(Mode::Shadow)) => Mode::Shadow,
        _ => Mode::Enforce,
    }
}

/// Matches `*` (any run of characters) and `?` (one character); everything else is itself.
pub fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

/// Whether some text fits both patterns.
pub fn globs_meet(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Row by row: which beginnings of `b` fit some text that a beginning of `a` fits.
    let mut row = vec![true];
    row.extend(b.iter().scan(true, |stars, c| {
        *stars &= *c == '*';
        Some(*stars)
    }));
    for x in &a {
        let mut next = vec![*x == '*' && row.first() == Some(&true)];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[bool], j: usize| row.get(j).copied().unwrap_or(false);
            let both = *x == '?' || *y == '?' || x == y;
            let meets = match (x, y) {
                ('*', _) | (_, '*') => at(&row, j + 1) || at(&next, j) || at(&row, j),
                _ => both && at(&row, j),
            };
            next.push(meets);
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ToolRule;

    #[test]
    fn patterns_that_meet() {
        for (a, b, expected) in [
            ("a*", "*b", true),
            ("a*", "b*", false),
            ("a", "a", true),
            ("a", "b", false),
            ("a?c", "ab*", true),
            ("a?c", "abd", false),
            ("*", "", true),
            ("*/sa/bot", "spiffe://x/ns/retail/sa/*", true),
            ("spiffe://x/ns/a/*", "spiffe://x/ns/b/*", false),
            ("x*y", "xy", true),
            ("x?y", "xy", false),
        ] {
            assert_eq!(globs_meet(a, b), expected, "{a} {b}");
            assert_eq!(globs_meet(b, a), expected, "{b} {a}");
        }
    }

    #[test]
    fn what_only_observes_loosens_nothing() {
        let rule = |action, mode| ToolRule {
            id: "r".into(),
            tools: vec!["shell*".into()],
            action,
            mode: Some(mode),
        };
        use {Mode::*, ToolAction::*};
        for (mode, default, rules, tool, expected) in [
            (Enforce, Deny, vec![rule(Deny, Shadow)], "shell_exec", (Deny, None, Enforce)),
            (Enforce, Allow, vec![rule(Deny, Shadow)], "shell_exec", (Deny, Some("r"), Shadow)),
            (Enforce, Deny, vec![rule(Allow, Shadow)], "shell_exec", (Deny, None, Enforce)),
            (Enforce, Deny, vec![rule(Allow, Enforce)], "shell_exec", (Allow, Some("r"), Enforce)),
            (Enforce, Deny, vec![rule(Allow, Enforce)], "web", (Deny, None, Enforce)),
            (Shadow, Deny, vec![rule(Allow, Enforce)], "shell_exec", (Allow, None, Enforce)),
            (Shadow, Deny, vec![], "web", (Deny, None, Shadow)),
            (
                Enforce,
                Allow,
                vec![rule(Allow, Enforce), rule(Deny, Enforce)],
                "shell_exec",
                (Deny, Some("r"), Enforce),
            ),
        ] {
            let tools = Tools { default_action: default, rules: rules.clone() };
            let spec = Spec { mode, tools: Some(tools), ..Spec::default() };
            let compiled = ToolRules::compile(&spec);
            let got = compiled.judge(tool);
            assert_eq!(
                (got.action, got.rule, got.mode),
                expected,
                "{mode:?} {default:?} {rules:?}"
            );
        }
    }

    #[test]
    fn globs() {
        for (pattern, text, expected) in [
            ("shell*", "shell_exec", true),
            ("shell*", "Shell", false),
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
            ("get_?", "get_x", true),
            ("get_?", "get_", false),
            ("**x", "yyx", true),
        ] {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }
}
