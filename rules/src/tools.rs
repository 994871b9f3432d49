//! Tool access by name: which functions a model may be offered and may call.

use crate::policy::{Mode, ToolAction, Tools};

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

/// The compiled `tools` section. Deny wins over Allow whatever the order; without a matching rule the default acts.
#[derive(Debug, Default)]
pub struct ToolRules {
    rules: Vec<CompiledTool>,
    default: Option<(ToolAction, Mode)>,
}

impl ToolRules {
    /// Compiles the section; `None` allows every tool.
    pub fn compile(tools: Option<&Tools>, mode: Mode) -> ToolRules {
        let Some(tools) = tools else { return ToolRules::default() };
        let rules = tools.rules.iter().map(|rule| CompiledTool {
            id: rule.id.clone(),
            globs: rule.tools.clone(),
            action: rule.action,
            mode: stricter_shadow(mode, rule.mode),
        });
        ToolRules { rules: rules.collect(), default: Some((tools.default_action, mode)) }
    }

    /// Whether some tool could be denied, so that calls must be held whole until they are judged.
    pub fn can_deny(&self) -> bool {
        let rule = |r: &CompiledTool| r.action == ToolAction::Deny && r.mode == Mode::Enforce;
        self.default == Some((ToolAction::Deny, Mode::Enforce)) || self.rules.iter().any(rule)
    }

    /// Whether there is anything to say about tools, enforced or in Shadow.
    pub fn reads(&self) -> bool {
        let denies = |r: &CompiledTool| r.action == ToolAction::Deny;
        self.default.is_some_and(|(a, _)| a == ToolAction::Deny) || self.rules.iter().any(denies)
    }

    /// Judges a tool by its name. An enforced Deny wins over all, then Allow by rule, then a shadowed Deny.
    pub fn judge(&self, name: &str) -> ToolVerdict<'_> {
        let hits = || self.rules.iter().filter(|r| r.globs.iter().any(|g| glob(g, name)));
        let denied = |mode| hits().find(|r| r.action == ToolAction::Deny && r.mode == mode);
        let allowed = || hits().find(|r| r.action == ToolAction::Allow && r.mode == Mode::Enforce);
        let by = denied(Mode::Enforce).or_else(|| denied(Mode::Shadow)).or_else(allowed);
        match (by, self.default) {
            (Some(rule), _) => {
                ToolVerdict { action: rule.action, rule: Some(&rule.id), mode: rule.mode }
            }
            (None, Some((action, mode))) => ToolVerdict { action, rule: None, mode },
            (None, None) => {
                ToolVerdict { action: ToolAction::Allow, rule: None, mode: Mode::Enforce }
            }
        }
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

#[cfg(test)]
mod tests {
    use super::glob;

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
