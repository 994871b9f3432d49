//! The rules that read a channel as regular expressions, for libraries that know no more.

use weir_rules::policy::{Rule, View};
use weir_rules::{Channel, Ruleset};

/// A rule's shape, without what a library can't do: views, validators, exposure, what goes on after an opening.
pub struct Pattern {
    pub rule: String,
    pub source: String,
    /// Letters match in either case, as the Folded view has it.
    pub folded: bool,
}

/// The patterns of the built-in rules that do something on `channel`, and how many rules there are.
pub fn patterns(rules: &Ruleset, channel: Channel) -> (Vec<Pattern>, usize) {
    let known = weir_rules::packs::rules();
    let numbers = (0..rules.len()).filter_map(|number| u16::try_from(number).ok());
    let mine = numbers.filter(|number| rules.action(*number, channel).is_some());
    let ids: Vec<&str> = mine.map(|number| rules.id(number)).collect();
    let active = known.iter().filter(|rule| ids.contains(&rule.id.as_str()));
    (active.filter_map(pattern).collect(), ids.len())
}

/// The keywords of the same rules.
pub fn keywords(rules: &Ruleset, channel: Channel) -> Vec<String> {
    let ids: Vec<String> = patterns(rules, channel).0.into_iter().map(|p| p.rule).collect();
    let known = weir_rules::packs::rules().into_iter();
    known.filter(|rule| ids.contains(&rule.id)).flat_map(|rule| rule.keywords).collect()
}

fn pattern(rule: &Rule) -> Option<Pattern> {
    let words = || {
        let escaped: Vec<String> = rule.keywords.iter().map(|word| escape(word)).collect();
        (!escaped.is_empty()).then(|| escaped.join("|"))
    };
    let source = rule.regex.clone().or_else(|| rule.opens.clone()).or_else(words)?;
    // What is left out of a text before it is compared is no matter of patterns.
    if rule.view == View::Squashed {
        return None;
    }
    Some(Pattern { rule: rule.id.clone(), source, folded: rule.view == View::Folded })
}

fn escape(word: &str) -> String {
    let mut escaped = String::new();
    for c in word.chars() {
        if c.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Option<Pattern> {
        pattern(&Rule::from_json(json.as_bytes()).unwrap())
    }

    #[test]
    fn a_rule_is_its_regex_or_its_keywords() {
        let own = rule(r#"{"id":"a","keywords":["x"],"regex":"x\\d","view":"Raw"}"#).unwrap();
        assert_eq!((own.source.as_str(), own.folded), ("x\\d", false));
        let words = rule(r#"{"id":"a","keywords":["</s>","b c"]}"#).unwrap();
        assert_eq!((words.source.as_str(), words.folded), (r"\<\/s\>|b c", true));
        assert!(rule(r#"{"id":"a","trigger":"InvisibleRun"}"#).is_none());
    }
}
