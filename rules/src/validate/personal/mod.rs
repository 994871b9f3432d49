//! Check digits and shapes of what names a person. Each function's comment says where its algorithm is published.

mod americas;
mod asia;
mod britain;
mod date;
mod digits;
mod germany;
mod iberia;
mod italy;
mod machine;
mod network;
mod phone;
mod plans;
mod west;

#[cfg(test)]
mod tests;

use crate::policy::ValidatorKind as Kind;

/// Whether a check on personal data accepts the text; checks of other kinds refuse everything.
pub fn accepts(kind: Kind, text: &str) -> bool {
    let check: fn(&str) -> bool = match kind {
        Kind::BrCnpj => americas::cnpj,
        Kind::BrCpf => americas::cpf,
        Kind::CnResidentId => asia::resident_id,
        Kind::DeIdCard => germany::id_card,
        Kind::DeSocialSecurity => germany::social_security,
        Kind::DeTaxId => germany::tax_id,
        Kind::Email => network::email,
        Kind::EsDni => iberia::dni,
        Kind::EsSocialSecurity => iberia::social_security,
        Kind::FrNir => west::nir,
        Kind::InAadhaar => asia::aadhaar,
        Kind::Ip => network::ip,
        Kind::ItFiscalCode => italy::fiscal_code,
        Kind::JpMyNumber => asia::my_number,
        Kind::KrResidentNumber => asia::resident_number,
        Kind::Mac => network::mac,
        Kind::Mrz => machine::readable,
        Kind::NlBsn => west::bsn,
        Kind::Phone => phone::plausible,
        Kind::PlNip => west::nip,
        Kind::PlPesel => west::pesel,
        Kind::UkNhs => britain::nhs,
        Kind::UsSsn => americas::ssn,
        _ => return false,
    };
    check(text)
}
