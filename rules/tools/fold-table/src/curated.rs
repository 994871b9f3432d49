//! What a reader sees and the Unicode data does not say, or says otherwise.

/// Small capitals in the order of their letters; they have no compatibility form. There is none of X.
const SMALL_CAPITALS: (&str, &str) = ("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘꞯʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz");

/// Quotes, whatever the data takes them for: «‚» for a comma, «‹» for a less-than sign.
const SINGLE_QUOTES: &str = "‘’‚‛‹›❛❜❟′";
const DOUBLE_QUOTES: &str = "“”„‟«»❝❞❠″‶";

/// Letters that the data takes for l, as it takes I, and that a reader takes for I: iota, the Ukrainian I, the capital
/// palochka, Latin small capital and long I, iauda, and the I of the Lisu, Runic, Old Italic and Lydian scripts.
const LIKE_I: &str = "ƖƗꞮꟾΙІӀⲒꓲᛁ𐌉𐤦";

/// Where the letter A is of the 26 letters in parentheses (small, capital), the negative circled and squared ones, and
/// the regional indicators. The other enclosed letters have their letter as compatibility form.
const ENCLOSED_A: [u32; 5] = [0x249C, 0x1F110, 0x1F150, 0x1F170, 0x1F1E6];

/// What `c` stands for whatever the data says, if it is listed here.
pub fn curated(c: char) -> Option<String> {
    let (small, plain) = SMALL_CAPITALS;
    if let Some((_, letter)) = small.chars().zip(plain.chars()).find(|(from, _)| *from == c) {
        return Some(letter.to_string());
    }
    let code = u32::from(c);
    if let Some(place) = ENCLOSED_A.iter().find_map(|a| code.checked_sub(*a).filter(|at| *at < 26))
    {
        return char::from_u32(u32::from('a') + place).map(String::from);
    }
    let text = match c {
        _ if SINGLE_QUOTES.contains(c) => "'",
        _ if DOUBLE_QUOTES.contains(c) => "\"",
        _ if LIKE_I.contains(c) => "i",
        'ß' | 'ẞ' => "ss",
        // Braille without a dot is a blank.
        '\u{2800}' => " ",
        _ => return None,
    };
    Some(text.to_owned())
}
