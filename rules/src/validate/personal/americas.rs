//! United States and Brazil.

use super::digits::{characters, exactly, is_one_digit, weighted};

/// A social security number of the United States, or an individual taxpayer number where it begins with 9. Areas 000
/// and 666, group 00 and serial 0000 were never issued (Social Security Administration, "Randomization FAQs"; Internal
/// Revenue Manual 3.21.263 has the groups of taxpayer numbers).
pub(super) fn ssn(text: &str) -> bool {
    let Some([a, b, c, d, e, f, g, h, i]) = exactly::<9>(text) else { return false };
    let (area, group) = (a * 100 + b * 10 + c, d * 10 + e);
    let serial = [f, g, h, i].iter().any(|digit| *digit != 0);
    match area {
        0 | 666 => false,
        900.. => matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99),
        _ => group != 0 && serial && !is_one_digit(&[a, b, c, d, e, f, g, h, i]),
    }
}

/// A Brazilian Cadastro de Pessoas Físicas: two check digits modulo 11 (Receita Federal, Instrução Normativa RFB
/// 2172/2024; the algorithm in "Cálculo do dígito verificador do CPF").
pub(super) fn cpf(text: &str) -> bool {
    let Some(digits) = exactly::<11>(text) else { return false };
    let [head @ .., first, second] = &digits;
    let a = check(weighted(head, &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    let b = check(weighted(head, &[11, 10, 9, 8, 7, 6, 5, 4, 3]) + 2 * a);
    !is_one_digit(&digits) && a == *first && b == *second
}

/// A Brazilian Cadastro Nacional da Pessoa Jurídica, with letters as they are given out from July 2026: a character
/// counts as its ASCII code less 48 (Receita Federal, Instrução Normativa RFB 2229/2024, annex XV).
pub(super) fn cnpj(text: &str) -> bool {
    let Some(characters) = characters::<14>(text) else { return false };
    let values = characters.map(|byte| u32::from(byte.saturating_sub(b'0')));
    let [head @ .., first, second] = &values;
    let a = check(weighted(head, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2]));
    let b = check(weighted(head, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3]) + 2 * a);
    !is_one_digit(&values) && a == *first && b == *second
}

/// 11 less the remainder, 0 where that has two digits.
fn check(sum: u32) -> u32 {
    match sum % 11 {
        0 | 1 => 0,
        rest => 11 - rest,
    }
}
