//! What all streams of a worker hold together, so that one worker never grows past `limits.worker`.

use std::cell::Cell;

thread_local! {
    static HELD: Cell<u64> = const { Cell::new(0) };
}

/// Bytes that one stream holds, counted for its worker until it lets them go.
#[derive(Debug, Default)]
pub struct Account(u64);

impl Account {
    /// Counts `bytes` more; `false` (and nothing counted) if the worker would hold more than `limit`.
    pub fn grow(&mut self, bytes: usize, limit: u64) -> bool {
        let bytes = bytes as u64;
        let total = HELD.get().saturating_add(bytes);
        if total > limit {
            return false;
        }
        HELD.set(total);
        self.0 = self.0.saturating_add(bytes);
        true
    }

    /// Counts `bytes` in place of what was counted; `false` (and nothing counted) if the worker would hold more than
    /// `limit`.
    pub fn set(&mut self, bytes: u64, limit: u64) -> bool {
        self.clear();
        self.grow(usize::try_from(bytes).unwrap_or(usize::MAX), limit)
    }

    /// Lets everything go.
    pub fn clear(&mut self) {
        HELD.set(HELD.get().saturating_sub(self.0));
        self.0 = 0;
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn streams_of_a_worker_share_its_limit() {
        let (mut one, mut two) = (Account::default(), Account::default());
        assert!(one.grow(60, 100));
        assert!(!two.grow(41, 100));
        assert!(two.grow(40, 100));
        one.clear();
        assert!(two.grow(60, 100));
        assert!(two.set(10, 100) && one.grow(90, 100));
        assert!(!two.set(11, 100));
        one.clear();
        drop(two);
        assert!(one.grow(100, 100));
    }
}
