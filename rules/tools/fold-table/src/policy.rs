//! What the Folded view makes of one character; `rules/src/fold/mod.rs` says in prose what it is for.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};
use unicode_security::confusable_detection::skeleton;

use crate::curated::curated;

/// A character with a longer form stays as it is: no keyword is written with it, and the lookup stays small.
pub const MAX_CHARS: usize = 4;

/// Scripts whose look-alikes of ASCII are a known way to write Latin words.
const KIN: [Script; 4] = [Script::Latin, Script::Greek, Script::Cyrillic, Script::Armenian];

/// Scripts that people write whole texts in and that are no kin of Latin: the recommended ones of UAX #31, table 5,
/// without [`KIN`]. Their letters stay, even where one looks like an o.
const KEEP: [Script; 25] = [
    Script::Arabic,
    Script::Bengali,
    Script::Bopomofo,
    Script::Devanagari,
    Script::Ethiopic,
    Script::Georgian,
    Script::Gujarati,
    Script::Gurmukhi,
    Script::Han,
    Script::Hangul,
    Script::Hebrew,
    Script::Hiragana,
    Script::Kannada,
    Script::Katakana,
    Script::Khmer,
    Script::Lao,
    Script::Malayalam,
    Script::Myanmar,
    Script::Oriya,
    Script::Sinhala,
    Script::Tamil,
    Script::Telugu,
    Script::Thaana,
    Script::Thai,
    Script::Tibetan,
];

/// The text that `c` folds to: empty if it drops, one space for white space. Its characters fold to themselves.
///
/// # Errors
/// If the rules below contradict each other, so that folding again and again does not settle.
pub fn fold(c: char) -> Result<String, String> {
    let mut text = c.to_string();
    for _ in 0..8 {
        let next: String = text.chars().map(step).collect();
        if next == text {
            return Ok(if text.chars().count() <= MAX_CHARS { text } else { c.to_string() });
        }
        text = next;
    }
    Err(format!("U+{:04X} does not settle: {text:?}", u32::from(c)))
}

/// One rewriting of `c`; [`fold`] repeats it.
fn step(c: char) -> String {
    if c.is_whitespace() {
        return " ".to_owned();
    }
    if is_ignorable(c) {
        return String::new();
    }
    if c.is_ascii() {
        return c.to_ascii_lowercase().to_string();
    }
    if let Some(ascii) = tag(c) {
        return ascii.to_string();
    }
    let compatible = compatible(c);
    if let Some(text) = curated(c).or_else(|| curated(only(&compatible)?)) {
        return text;
    }
    // An accent that stands alone is a quote to a reader, if it is anything.
    if compatible.is_ascii() && compatible != " " {
        return compatible;
    }
    if let Some(text) = look_alike(c).or_else(|| look_alike_of_capital(c)) {
        return text;
    }
    if compatible.chars().ne([c]) && compatible.chars().count() <= MAX_CHARS {
        return compatible;
    }
    if c == 'ς' {
        return "σ".to_owned();
    }
    only(&c.to_lowercase().to_string()).unwrap_or(c).to_string()
}

/// The ASCII character that a tag character repeats.
fn tag(c: char) -> Option<char> {
    u32::from(c)
        .checked_sub(0xE0000)
        .filter(|code| (0x20..=0x7E).contains(code))
        .and_then(char::from_u32)
}

/// Whether a character shows nothing, or only decorates another one.
fn is_ignorable(c: char) -> bool {
    // UTS #39 leaves a skeleton empty for the default ignorable characters, and for no other.
    let default_ignorable = skeleton(c.encode_utf8(&mut [0; 4])).next().is_none();
    let annotation = matches!(c, '\u{FFF9}'..='\u{FFFB}');
    (default_ignorable && tag(c).is_none()) || annotation || c.is_control() || is_mark(c)
}

/// Whether a character is a combining mark of Latin, Greek or Cyrillic, by block. Other scripts need theirs.
fn is_mark(c: char) -> bool {
    let block = matches!(u32::from(c),
        0x0300..=0x036F | 0x0483..=0x0489 | 0x1AB0..=0x1AFF | 0x1DC0..=0x1DFF | 0x20D0..=0x20FF
        | 0x2DE0..=0x2DFF | 0xA66F..=0xA67D | 0xA69E..=0xA69F | 0xFE20..=0xFE2F);
    block && c.general_category_group() == GeneralCategoryGroup::Mark
}

/// NFKC without the marks that drop, and without the space that an accent of its own stands on.
fn compatible(c: char) -> String {
    let text = c.to_string();
    let form: String = if text.nfkd().any(is_mark) {
        text.nfkd().filter(|c| !is_mark(*c)).nfc().collect()
    } else {
        text.nfkc().collect()
    };
    let accent = form.trim();
    if accent.is_empty() { " ".to_owned() } else { accent.to_owned() }
}

/// The ASCII text that `c` is taken for, by UTS #39: a letter for a letter, punctuation for punctuation, either for a
/// symbol. A Latin letter may have marks that drop, and be a ligature.
fn look_alike(c: char) -> Option<String> {
    if !may_look_latin(c) {
        return None;
    }
    let category = c.general_category();
    let group = c.general_category_group();
    if category == GeneralCategory::DashPunctuation {
        return Some("-".to_owned());
    }
    let latin = c.script() == Script::Latin;
    let skeleton: String =
        skeleton(c.encode_utf8(&mut [0; 4])).filter(|c| !latin || !is_mark(*c)).collect();
    // The skeletons of |, m and " are ASCII too, but not those characters.
    let text = match skeleton.as_str() {
        "l" if group == GeneralCategoryGroup::Symbol => "|",
        "rn" => "m",
        "''" => "\"",
        other => other,
    };
    let one = text.chars().count() == 1;
    let letters = !text.is_empty() && text.chars().all(|c| c.is_ascii_alphabetic());
    let punctuation = one && text.chars().all(|c| c.is_ascii_punctuation());
    let fits = match group {
        _ if category == GeneralCategory::ModifierLetter => one && letters || punctuation,
        GeneralCategoryGroup::Letter => letters && (one || latin),
        GeneralCategoryGroup::Punctuation => punctuation,
        GeneralCategoryGroup::Symbol => one && letters || punctuation,
        _ => false,
    };
    fits.then(|| text.to_ascii_lowercase())
}

/// A small Latin letter that looks like nothing else is read as its capital: ð as Ð, and so d.
fn look_alike_of_capital(c: char) -> Option<String> {
    let capital = only(&c.to_uppercase().to_string()).filter(|capital| *capital != c)?;
    if c.script() == Script::Latin { look_alike(capital) } else { None }
}

/// The only character of a text.
pub fn only(text: &str) -> Option<char> {
    let mut characters = text.chars();
    characters.next().filter(|_| characters.next().is_none())
}

fn may_look_latin(c: char) -> bool {
    let scripts = c.script_extension();
    let any_of = |list: &[Script]| list.iter().any(|script| scripts.contains_script(*script));
    scripts.is_common() || scripts.is_inherited() || any_of(&KIN) || !any_of(&KEEP)
}
