//! Names of HTML character references: those of ASCII, and the common ones beyond it. From
//! <https://html.spec.whatwg.org/multipage/named-characters.html>.

/// The longest name.
const LONGEST: usize = 8;

const NAMES: &str = "Tab\t NewLine\n excl! quot\" QUOT\" num# dollar$ percnt% amp& AMP& apos' lpar( rpar) ast* plus+ \
     comma, period. sol/ colon: semi; lt< LT< equals= gt> GT> quest? commat@ lsqb[ lbrack[ bsol\\ rsqb] rbrack] Hat^ \
     lowbar_ grave` lcub{ lbrace{ verbar| vert| rcub} rbrace} hyphen- dash- minus- ndash- mdash- lsquo' rsquo' \
     ldquo\" rdquo\" hellip. bull* middot. copy© reg® deg° euro€ pound£ auml\u{E4} ouml\u{F6} uuml\u{FC} \
     szlig\u{DF} aacute\u{E1} eacute\u{E9} iacute\u{ED} oacute\u{F3} uacute\u{FA} agrave\u{E0} egrave\u{E8} ntilde\u{F1} \
     ccedil\u{E7} atilde\u{E3} otilde\u{F5} acirc\u{E2} ecirc\u{EA} ocirc\u{F4}";

/// The character of a name.
pub(super) fn named(name: &[u8]) -> Option<u32> {
    match name {
        b"nbsp" | b"ensp" | b"emsp" | b"thinsp" => return Some(u32::from(b' ')),
        b"shy" | b"zwnj" | b"zwj" | b"ZeroWidthSpace" => return Some(0x200B),
        _ if name.len() > LONGEST => return None,
        _ => {}
    }
    NAMES.split(' ').find_map(|entry| {
        let rest = entry.as_bytes().strip_prefix(name)?;
        let mut rest = std::str::from_utf8(rest).ok()?.chars();
        let c = rest.next().filter(|c| !c.is_ascii_alphabetic())?;
        rest.next().is_none().then_some(u32::from(c))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_whole() {
        let c = |name: &str| named(name.as_bytes()).and_then(char::from_u32);
        assert_eq!(c("lt"), Some('<'));
        assert_eq!(c("NewLine"), Some('\n'));
        assert_eq!(c("eacute"), Some('é'));
        assert_eq!(c("nbsp"), Some(' '));
        for none in ["", "l", "per", "aut", "LParen"] {
            assert_eq!(c(none), None);
        }
        assert!(NAMES.split(' ').all(|entry| entry.chars().count() <= LONGEST + 1));
    }
}
