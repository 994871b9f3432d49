use super::*;

#[test]
fn characters() {
    for (text, expected) in [
        ("AbC 09!?_", "abc 09!?_"),
        ("a\tb\r\n\u{a0}\u{3000} c", "a b c"),
        ("i\u{200b}g\u{200d}n\u{feff}o\u{2060}r\u{ad}e", "ignore"),
        ("\u{202e}abc\u{202c}", "abc"),
        ("a\u{fe0f}b\u{e0100}c", "abc"),
        ("ｉｇｎｏｒｅ", "ignore"),
        ("𝐢𝐠𝐧𝐨𝐫𝐞", "ignore"),
        ("𝑖𝑔𝑛𝑜𝑟𝑒", "ignore"),
        ("𝓲𝓰𝓷𝓸𝓻𝓮", "ignore"),
        ("𝔦𝔤𝔫𝔬𝔯𝔢", "ignore"),
        ("𝕚𝕘𝕟𝕠𝕣𝕖", "ignore"),
        ("𝚒𝚐𝚗𝚘𝚛𝚎", "ignore"),
        ("𝗶𝗴𝗻𝗼𝗿𝗲", "ignore"),
        ("ⓘⓖⓝⓞⓡⓔ", "ignore"),
        ("🅸🅶🅽🅾🆁🅴", "ignore"),
        ("ɪɢɴᴏʀᴇ", "ignore"),
        ("íğñöŕé", "ignore"),
        ("i\u{301}g\u{334}n\u{20e3}ore", "ignore"),
        ("іgnоrе", "ignore"),
        ("ΙGΝΟRΕ", "ignore"),
        ("\u{e0069}\u{e0067}\u{e006e}\u{e006f}\u{e0072}\u{e0065}", "ignore"),
        ("ＡＢＣ１２３", "abc123"),
        ("ﬁne oﬃce", "fine office"),
        ("“q” ‘s’ – — …", "\"q\" 's' - - ..."),
        ("Straße ŒUVRE", "strasse oeuvre"),
        ("你好", "你好"),
        ("ガギ", "ガギ"),
        ("مرحبا", "مرحبا"),
        ("नमस्ते", "नमस्ते"),
    ] {
        assert_eq!(fold_str(text), expected, "{text:?}");
    }
}

#[test]
fn folding_twice_is_folding_once() {
    for c in (0..=char::MAX as u32).filter_map(char::from_u32) {
        let once = fold_str(&c.to_string());
        assert_eq!(fold_str(&once), once, "{c:?} U+{:04X}", c as u32);
    }
}

#[test]
fn ascii_is_only_lowered() {
    for byte in 0x20u8..0x7f {
        assert_eq!(fold_ascii(byte), byte.to_ascii_lowercase());
    }
}

#[test]
fn squashing_reads_digits_as_letters() {
    let squashed: String =
        "1gn0r3 - 4ll.".bytes().filter_map(squash).map(char::from).collect();
    assert_eq!(squashed, "ignoreall");
}
