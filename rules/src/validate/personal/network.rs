//! Addresses of hosts.

use std::net::{IpAddr, Ipv4Addr};

/// An address that can be somebody's: no loopback, no netmask, no address of a whole class, no version number.
pub(super) fn ip(text: &str) -> bool {
    match text.parse() {
        Ok(IpAddr::V4(address)) => {
            let [first, rest @ ..] = address.octets();
            first != 0
                && first != 127
                && first != 255
                && rest != [0, 0, 0]
                && address != Ipv4Addr::new(1, 2, 3, 4)
        }
        Ok(IpAddr::V6(address)) => !address.is_loopback() && !address.is_unspecified(),
        Err(_) => false,
    }
}

/// Endings of files that `@` stands in the names of, such as images of double size.
const FILES: [&str; 10] = ["png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "json", "md"];

/// An address that reaches somebody: not the account that all use at a code host, and no file name.
pub(super) fn email(text: &str) -> bool {
    let (name, host) = text.split_once('@').unwrap_or_default();
    let ending = host.rsplit('.').next().unwrap_or_default();
    name != "git" && !FILES.iter().any(|file| file.eq_ignore_ascii_case(ending))
}

/// A hardware address of a device: not of all devices, none, nor a row of two-digit numbers.
pub(super) fn mac(text: &str) -> bool {
    let digits = || text.bytes().filter(u8::is_ascii_hexdigit);
    let first = text.bytes().next();
    let same = digits().all(|byte| Some(byte) == first);
    digits().count() == 12 && !same && digits().any(|byte| byte.is_ascii_alphabetic())
}
