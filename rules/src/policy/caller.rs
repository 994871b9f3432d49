//! Whose traffic a policy is for, and how users are known.

use super::read::document;

document! {
    /// Whose traffic a policy is for. Exactly one policy wins: the one whose pattern has the most literal characters,
    /// callers before hosts; a tie is refused when the policies are loaded.
    pub struct AppliesTo default {
        /// Callers, as SPIFFE ids such as `spiffe://bank.example/ns/retail/sa/support-bot`, or globs with `*` and `?`.
        "callers" callers: Vec<String> => default Vec::new(),
        /// Hosts that are called, or globs; all if left out.
        "hosts" hosts: Vec<String> => default Vec::new(),
    }
}

document! {
    /// How users are known. Only claims count that the proxy's `jwt_authn` filter verified; never a plain header.
    pub struct Identity default {
        "user" user: Option<User> => default None,
        "groups" groups: Option<Claim> => default None,
    }
}

document! {
    /// The user on whose behalf a caller speaks.
    pub struct User {
        /// The header that carries the token; taken off with `strip`.
        "header" header: Option<String> => default None,
        /// The claim that names the user.
        "claim" claim: String,
        /// The only issuer whose claims count; any that the proxy accepts if left out.
        "issuer" issuer: Option<String> => default None,
        /// The token does not go to the provider.
        "strip" strip: bool => default false,
    }
}

document! {
    /// A verified claim.
    pub struct Claim {
        "claim" claim: String,
    }
}
