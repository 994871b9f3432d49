//! Text in HTML.

/// Text as content or as a quoted attribute.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A name that may be broken behind what joins its words.
pub fn breakable(name: &str) -> String {
    let mut out = String::new();
    for part in name.split_inclusive(['_', '-', '/', ':', '|', '(']) {
        out.push_str(&escape(part));
        out.push_str("<wbr>");
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_break_where_words_meet() {
        assert_eq!(super::breakable("a_b<c"), "a_<wbr>b&lt;c<wbr>");
    }

    #[test]
    fn nothing_of_a_name_is_markup() {
        assert_eq!(
            super::escape("<a b='c' d=\"e\">&"),
            "&lt;a b=&#39;c&#39; d=&quot;e&quot;&gt;&amp;"
        );
    }
}
