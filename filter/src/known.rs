//! Texts that were found clean before. A conversation sends all of its past with every turn, and the same system
//! prompt and tool list come with every request: what a worker has read once under a policy is not scanned again.
//!
//! Only fingerprints are kept, 128 bits of SipHash-2-4 under a key that is random in every worker, so that nobody can
//! make a text that passes for another. Only a text in which no rule found anything, of whatever action and mode, is
//! remembered, so that a verdict, a count or a record is the same as if it had been scanned.

use std::cell::RefCell;
use std::hash::{BuildHasher, Hash, RandomState};

use siphasher::sip128::{Hasher128, SipHasher24};
use weir_rules::ChannelSet;

/// Sets of fingerprints; a text belongs to one of them. With [`WAYS`] the memory of a worker, 256 KiB.
const SETS: usize = 1024;
/// Fingerprints of a set; the one that was not asked for the longest gives way to a new one.
const WAYS: usize = 16;
/// What a text is remembered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(u128);

struct Known {
    key: SipHasher24,
    policies: u64,
    /// Empty before the first text; zero is no fingerprint.
    sets: Vec<[u128; WAYS]>,
}

thread_local! {
    static KNOWN: RefCell<Known> = RefCell::new(Known::new());
}

impl Known {
    fn new() -> Known {
        let random = RandomState::new();
        let key = SipHasher24::new_with_keys(random.hash_one(0), random.hash_one(1));
        Known { key, policies: 0, sets: Vec::new() }
    }

    fn set(&mut self, Fingerprint(print): Fingerprint) -> Option<&mut [u128; WAYS]> {
        let sets = self.sets.len();
        self.sets.get_mut((print as usize).checked_rem(sets)?)
    }

    fn contains(&mut self, print: Fingerprint) -> bool {
        let Some(set) = self.set(print) else { return false };
        let Some(at) = set.iter().position(|known| *known == print.0) else { return false };
        set.get_mut(..=at).unwrap_or_default().rotate_right(1);
        true
    }

    fn insert(&mut self, print: Fingerprint) {
        // Without memory for it nothing is remembered.
        if self.sets.is_empty() && self.sets.try_reserve_exact(SETS).is_ok() {
            self.sets.resize(SETS, [0; WAYS]);
        }
        if let Some(set) = self.set(print) {
            set.rotate_right(1);
            set[0] = print.0;
        }
    }
}

/// A number for a compiled policy that no other of this worker has.
pub fn policy() -> u64 {
    KNOWN.with_borrow_mut(|known| {
        known.policies += 1;
        known.policies
    })
}

/// The fingerprint of a text as a policy reads it in `scope`, `nested` where that is as JSON.
pub fn fingerprint(policy: u64, scope: ChannelSet, nested: bool, text: &str) -> Fingerprint {
    let mut hasher = KNOWN.with_borrow(|known| known.key);
    (policy, scope, nested, text).hash(&mut hasher);
    Fingerprint(hasher.finish128().as_u128().max(1))
}

/// Whether the text of a fingerprint was found clean.
pub fn is_clean(print: Fingerprint) -> bool {
    KNOWN.with_borrow_mut(|known| known.contains(print))
}

/// Nothing was found in the text of this fingerprint.
pub fn found_clean(print: Fingerprint) {
    KNOWN.with_borrow_mut(|known| known.insert(print));
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_rules::Channel;

    fn print(policy: u64, channel: Channel, text: &str) -> Fingerprint {
        fingerprint(policy, ChannelSet::from(channel), false, text)
    }

    #[test]
    fn a_text_is_known_in_its_policy_and_scope_only() {
        let (text, channel) = ("what was found clean once", Channel::RequestUser);
        let (one, two) = (policy(), policy());
        assert!(!is_clean(print(one, channel, text)));
        found_clean(print(one, channel, text));
        assert!(is_clean(print(one, channel, text)));
        assert!(!is_clean(print(two, channel, text)));
        assert!(!is_clean(print(one, Channel::RequestSystem, text)));
        assert!(!is_clean(print(one, channel, "what was found clean once ")));
        let scope = ChannelSet::from(channel);
        assert!(!is_clean(fingerprint(one, scope, true, text)));
    }

    #[test]
    fn what_is_asked_for_stays_and_the_rest_gives_way() {
        let mut known = Known::new();
        let of = |n: u128| Fingerprint(n << 64 | 5);
        for n in 1..=WAYS as u128 {
            known.insert(of(n));
        }
        assert!(known.contains(of(1)));
        known.insert(of(100));
        assert!(known.contains(of(1)) && known.contains(of(100)));
        assert!(!known.contains(of(2)), "the one that was asked for last gives way");
        assert_eq!(known.sets.len(), SETS);
    }
}
