//! The United Kingdom.

use super::digits::{exactly, is_one_digit, weighted};

/// An NHS number: nine digits and a check digit modulo 11 (NHS Data Dictionary, "NHS number").
pub(super) fn nhs(text: &str) -> bool {
    let Some(digits) = exactly::<10>(text) else { return false };
    let [head @ .., last] = &digits;
    let check = (11 - weighted(head, &[10, 9, 8, 7, 6, 5, 4, 3, 2]) % 11) % 11;
    check == *last && !is_one_digit(&digits)
}
