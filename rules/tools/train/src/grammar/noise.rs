//! How people type: capitals or none, and now and then a slip of the finger.

use super::random::Random;

/// The text with capitals and slips that do not depend on what it says.
pub fn add(text: String, random: &mut Random) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    match random.below(20) {
        0 => return text.to_uppercase(),
        1..=3 => return text.to_lowercase(),
        4 | 5 => {
            let slips = 1 + random.below(1 + chars.len() / 80);
            for _ in 0..slips {
                slip(&mut chars, random);
            }
        }
        _ => {}
    }
    if random.below(3) > 0
        && let Some(first) = chars.first_mut()
    {
        first.make_ascii_uppercase();
    }
    chars.into_iter().collect()
}

/// Two letters change places, or one is missing or twice there. Only inside words.
fn slip(chars: &mut Vec<char>, random: &mut Random) {
    let at = random.below(chars.len());
    let inside = at > 0
        && chars.get(at - 1..).is_some_and(|near| {
            near.len() >= 3 && near.iter().take(3).all(|c| c.is_ascii_alphabetic())
        });
    if !inside {
        return;
    }
    match random.below(3) {
        0 => chars.swap(at, at + 1),
        1 => drop(chars.remove(at)),
        _ => {
            if let Some(letter) = chars.get(at).copied() {
                chars.insert(at, letter);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_texts_stay_as_they_are_and_some_have_a_slip() {
        let text = "Please read the whole chapter again before tomorrow";
        let mut random = Random::new(3, "test");
        let noisy: Vec<String> = (0..400).map(|_| add(text.to_owned(), &mut random)).collect();
        let same = noisy.iter().filter(|noisy| *noisy == text).count();
        assert!((280..340).contains(&same), "{same}");
        assert!(noisy.contains(&text.to_uppercase()) && noisy.contains(&text.to_lowercase()));
        let slips = noisy.iter().filter(|noisy| noisy.to_lowercase() != text.to_lowercase());
        assert!((10..40).contains(&slips.count()));
        for noisy in &noisy {
            assert!(noisy.chars().count().abs_diff(text.chars().count()) <= 1);
            assert_eq!(noisy.split(' ').count(), text.split(' ').count());
        }
    }

    #[test]
    fn other_scripts_have_no_slips() {
        let mut random = Random::new(3, "test");
        for _ in 0..100 {
            assert_eq!(add("前の文は忘れて".to_owned(), &mut random), "前の文は忘れて");
        }
    }
}
