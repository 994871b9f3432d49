use super::*;

/// Published examples, and the same with one digit changed.
#[test]
fn published_examples() {
    let table = [
        // The example of many textbooks.
        (Kind::BrCpf, "111.444.777-35", true),
        (Kind::BrCpf, "111.444.777-36", false),
        (Kind::BrCpf, "111.111.111-11", false),
        // Banco do Brasil; the second is the example of annex XV.
        (Kind::BrCnpj, "00.000.000/0001-91", true),
        (Kind::BrCnpj, "12.ABC.345/01DE-35", true),
        (Kind::BrCnpj, "00.000.000/0001-92", false),
        // GB 11643-1999, appendix.
        (Kind::CnResidentId, "11010519491231002X", true),
        (Kind::CnResidentId, "440524188001010014", false),
        (Kind::CnResidentId, "110105194912310021", false),
        (Kind::CnResidentId, "11010519491331002X", false),
        // Specimen of the Bundesdruckerei.
        (Kind::DeIdCard, "L01X00T471", true),
        (Kind::DeIdCard, "L01X00T47", true),
        (Kind::DeIdCard, "L01X00T472", false),
        (Kind::DeIdCard, "L01AEIO47", false),
        (Kind::DeSocialSecurity, "15 070649 C 103", true),
        (Kind::DeSocialSecurity, "15 070649 C 104", false),
        (Kind::DeSocialSecurity, "15 071349 C 103", false),
        // Bundeszentralamt für Steuern.
        (Kind::DeTaxId, "86095742719", true),
        (Kind::DeTaxId, "47 036 892 816", true),
        (Kind::DeTaxId, "65929970489", true),
        (Kind::DeTaxId, "86095742718", false),
        (Kind::DeTaxId, "01234567890", false),
        (Kind::EsDni, "12345678Z", true),
        (Kind::EsDni, "X1234567L", true),
        (Kind::EsDni, "12345678-A", false),
        (Kind::EsSocialSecurity, "28 1234567840", true),
        (Kind::EsSocialSecurity, "28 1234567841", false),
        (Kind::FrNir, "2 55 08 14 168 025 38", true),
        (Kind::FrNir, "255081416802539", false),
        (Kind::FrNir, "2 55 13 14 168 025 38", false),
        (Kind::InAadhaar, "2341 2341 2346", true),
        (Kind::InAadhaar, "2341 2341 2347", false),
        (Kind::InAadhaar, "234123412364", false),
        (Kind::ItFiscalCode, "RSSMRA85T10A562S", true),
        (Kind::ItFiscalCode, "MRTMTT25D09F205Z", true),
        (Kind::ItFiscalCode, "RSSMRA85T10A562T", false),
        (Kind::ItFiscalCode, "RSSMRA85K10A562S", false),
        (Kind::JpMyNumber, "1234 5678 9018", true),
        (Kind::JpMyNumber, "123456789019", false),
        (Kind::KrResidentNumber, "971013-9019902", true),
        (Kind::KrResidentNumber, "821323-1234563", false),
        (Kind::KrResidentNumber, "201105-3456789", true),
        // ICAO Doc 9303, parts 4 and 5.
        (Kind::Mrz, "L898902C36UTO7408122F1204159ZE184226B<<<<<10", true),
        (Kind::Mrz, "L898902C37UTO7408122F1204159ZE184226B<<<<<10", false),
        (Kind::Mrz, "I<UTOD231458907<<<<<<<<<<<<<<<", true),
        (Kind::Mrz, "7408122F1204159UTO<<<<<<<<<<<6", true),
        (Kind::Mrz, "7408123F1204159UTO<<<<<<<<<<<6", false),
        (Kind::Mrz, "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<", true),
        (Kind::Mrz, "ABCDEFGHIJKLMNOPQRSTUVWXYZABCD", false),
        (Kind::NlBsn, "111222333", true),
        (Kind::NlBsn, "123456782", true),
        (Kind::NlBsn, "123456783", false),
        (Kind::PlNip, "123-456-32-18", true),
        (Kind::PlNip, "123-456-32-19", false),
        (Kind::PlPesel, "44051401359", true),
        (Kind::PlPesel, "44051401358", false),
        (Kind::PlPesel, "44131401359", false),
        // NHS Data Dictionary.
        (Kind::UkNhs, "943 476 5919", true),
        (Kind::UkNhs, "9434765918", false),
        (Kind::UsSsn, "536-22-8726", true),
        (Kind::UsSsn, "666-22-8726", false),
        (Kind::UsSsn, "912-93-8726", false),
        (Kind::UsSsn, "912-70-8726", true),
        (Kind::UsSsn, "536-22-8726-1", false),
    ];
    for (kind, text, expected) in table {
        assert_eq!(accepts(kind, text), expected, "{kind:?} {text}");
    }
}

#[test]
fn telephone_numbers_and_what_looks_like_one() {
    for (text, expected) in [
        ("+44 20 7946 0958", true),
        ("+41 (0)44 668 18 00", true),
        ("+49 030 901820", true),
        ("0044 20 7946 0958", true),
        ("011 44 20 7946 0958", true),
        ("+1 212-555-0142 ext. 7", true),
        ("(212) 555-0142x12", true),
        ("020 7946 0958", true),
        ("01 42 68 53 00", true),
        ("07700 900123", true),
        ("0171/1234567", true),
        ("03-5321-1111", true),
        ("0412 345 678", true),
        ("037-53-4973", false),
        ("0189 7709 8334", false),
        ("01.02.2024.10", false),
        ("+999 123 4567", false),
        ("+1 112 555 0142", false),
        ("+44 12", false),
        ("+39 1", false),
        ("+4420794609581234567", false),
        ("2024-05-17", false),
        ("17.05.2024", false),
        ("2024-05-17 10", false),
        ("192.168.10.20", false),
        ("1999-2003", false),
        ("555-0142", true),
        ("000 000 000", false),
        ("12 34", false),
    ] {
        assert_eq!(accepts(Kind::Phone, text), expected, "{text}");
    }
}

#[test]
fn addresses_that_are_somebodys() {
    for (kind, text, expected) in [
        (Kind::Ip, "203.0.113.77", true),
        (Kind::Ip, "127.0.0.1", false),
        (Kind::Ip, "255.255.255.0", false),
        (Kind::Ip, "120.0.0.0", false),
        (Kind::Ip, "10.20.30.40.50", false),
        (Kind::Ip, "2001:db8::1", true),
        (Kind::Ip, "::1", false),
        (Kind::Mac, "00:1a:2b:3c:4d:5e", true),
        (Kind::Mac, "ff:ff:ff:ff:ff:ff", false),
        (Kind::Mac, "05-31-10-50-08-57", false),
    ] {
        assert_eq!(accepts(kind, text), expected, "{text}");
    }
}

#[test]
fn every_kind_refuses_other_text() {
    for kind in [
        Kind::BrCnpj,
        Kind::BrCpf,
        Kind::CnResidentId,
        Kind::DeIdCard,
        Kind::DeSocialSecurity,
        Kind::DeTaxId,
        Kind::EsDni,
        Kind::EsSocialSecurity,
        Kind::FrNir,
        Kind::InAadhaar,
        Kind::Ip,
        Kind::ItFiscalCode,
        Kind::JpMyNumber,
        Kind::KrResidentNumber,
        Kind::Mac,
        Kind::Mrz,
        Kind::NlBsn,
        Kind::Phone,
        Kind::PlNip,
        Kind::PlPesel,
        Kind::UkNhs,
        Kind::UsSsn,
    ] {
        for text in ["", " ", "-", "a", "é", "１２３４５６７８９０", "000000000", "0000000000000"]
        {
            assert!(!accepts(kind, text), "{kind:?} {text}");
        }
    }
}

#[test]
fn plans_are_in_order_and_small() {
    assert!(plans::PLANS.is_sorted_by_key(|plan| plan.0));
    assert!(plans::PLANS.iter().all(|plan| plan.1.is_sorted_by_key(|run| run.0)));
    let runs: usize = plans::PLANS.iter().map(|plan| plan.1.len()).sum();
    let bytes = runs * size_of::<(u8, u16)>() + size_of_val(plans::PLANS);
    assert!(bytes < 12 * 1024, "{bytes} bytes");
}
