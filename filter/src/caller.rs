//! Who speaks, by what the proxy has verified; never by a plain header (design decision 18).

use weir_rules::policy::Identity;

use crate::host::{Host, Side};

/// Where Istio and Envoy put the claims of a verified token, by the name that `payload_in_metadata` gives them.
const JWT: [&str; 3] = ["metadata", "filter_metadata", "envoy.filters.http.jwt_authn"];
/// `payload_in_metadata` of Istio's RequestAuthentication.
const PAYLOAD: &str = "payload";
/// `envoy.config.core.v3.TrafficDirection.OUTBOUND`, as the eight bytes of a property.
const OUTBOUND: u64 = 2;
/// The trust domain of a mesh that names none.
const TRUST_DOMAIN: &str = "cluster.local";
/// The most characters of an identity.
const MAX_IDENTITY: usize = 512;

/// Who speaks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    /// The workload: a SPIFFE id, or issuer and subject of its token.
    pub id: Option<String>,
    /// The user on whose behalf it speaks.
    pub user: Option<String>,
}

/// The calling workload: its certificate's URI, the waypoint's peer principal, its verified token, or, on the way out
/// of a sidecar, the workload that the sidecar belongs to.
pub fn workload(host: &dyn Host) -> Option<String> {
    let property = |path: &[&str]| identity(host.property(path)?);
    property(&["connection", "uri_san_peer_certificate"])
        .or_else(|| property(&["filter_state", "io.istio.peer_principal"]).map(spiffe))
        .or_else(|| {
            let issuer = claim(host, PAYLOAD, "iss")?;
            Some(format!("{issuer}/{}", claim(host, PAYLOAD, "sub")?))
        })
        .or_else(|| own(host))
}

/// The identity of the workload that this sidecar belongs to, for what leaves it. A gateway speaks for others.
fn own(host: &dyn Host) -> Option<String> {
    let node = |name| identity(host.property(&["xds", "node", "metadata", name])?);
    let sidecar = host.property(&["xds", "node", "id"])?.starts_with("sidecar~");
    if !sidecar || host.number(&["xds", "listener_direction"]) != Some(OUTBOUND) {
        return None;
    }
    let domain = node("MESH_ID").unwrap_or_else(|| TRUST_DOMAIN.to_owned());
    Some(format!("spiffe://{domain}/ns/{}/sa/{}", node("NAMESPACE")?, node("SERVICE_ACCOUNT")?))
}

/// The user, by the claims that the policy names.
pub fn user(host: &dyn Host, identity: &Identity) -> Option<String> {
    let named = identity.user.as_ref()?;
    let (keys, issuer) = match &named.issuer {
        Some(issuer) => (vec![PAYLOAD, issuer.as_str()], Some(issuer)),
        None => (vec![PAYLOAD], None),
    };
    keys.into_iter().find_map(|key| {
        if issuer.is_some_and(|issuer| claim(host, key, "iss").as_ref() != Some(issuer)) {
            return None;
        }
        claim(host, key, &named.claim)
    })
}

/// Takes the user's token off the request where the policy says so.
pub fn strip_token(host: &mut dyn Host, identity: &Identity) {
    if let Some(user) = identity.user.as_ref().filter(|u| u.strip)
        && let Some(header) = &user.header
    {
        host.set_header(Side::Request, header, None);
    }
}

fn claim(host: &dyn Host, payload: &str, claim: &str) -> Option<String> {
    let [a, b, c] = JWT;
    identity(host.property(&[a, b, c, payload, claim])?)
}

fn identity(text: String) -> Option<String> {
    (!text.is_empty() && text.len() <= MAX_IDENTITY).then_some(text)
}

/// Istio writes principals without the scheme.
fn spiffe(principal: String) -> String {
    if principal.contains("://") { principal } else { format!("spiffe://{principal}") }
}
