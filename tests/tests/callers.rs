//! Who speaks: only what the proxy verified counts, in a fixed order, and a policy that is not for a caller refuses.

use weir_filter::dialect::Dialect;
use weir_filter::sim::{self, Around, Pieces};
use weir_tests::{exchange, policies};

const CERTIFICATE: (&str, &str) =
    ("connection.uri_san_peer_certificate", "spiffe://t/ns/a/sa/cert");
const PRINCIPAL: (&str, &str) = ("filter_state.io.istio.peer_principal", "t/ns/a/sa/waypoint");
const JWT: &str = "metadata.filter_metadata.envoy.filters.http.jwt_authn";
const BODY: &[u8] = br#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;

fn record(spec: &str, properties: &[(&str, &str)], headers: &[(&str, &str)]) -> String {
    let guard = policies::guard(spec);
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let around = Around { properties: properties.iter().map(owned).collect(), ..Around::default() };
    let mut request = exchange::request(Dialect::OpenAIChat, BODY);
    request.headers.extend(headers.iter().map(owned));
    let answer = exchange::answer(false, b"{}");
    let run = sim::run_as(&guard, &request, &answer, (Pieces::Whole, Pieces::Whole), &around);
    for (name, _) in headers.iter().filter(|(n, _)| *n == "x-user-token") {
        assert!(!run.upstream.0.iter().any(|(n, _)| n == name), "the token went on");
    }
    run.record
}

fn member<'a>(record: &'a str, name: &str) -> Option<&'a str> {
    Some(record.split_once(&format!("\"{name}\":\""))?.1.split_once('"')?.0)
}

#[test]
fn identities_in_their_order() {
    let claim = |name: &str| format!("{JWT}.payload.{name}");
    let (iss, sub) = (claim("iss"), claim("sub"));
    let token = [(iss.as_str(), "https://login"), (sub.as_str(), "bot")];
    let own = [
        ("xds.node.id", "sidecar~10.0.0.1~x~y"),
        ("xds.listener_direction", "2"),
        ("xds.node.metadata.NAMESPACE", "retail"),
        ("xds.node.metadata.SERVICE_ACCOUNT", "bot"),
    ];
    let all = [&[CERTIFICATE, PRINCIPAL][..], &token, &own].concat();
    let gateway = [("xds.node.id", "router~10.0.0.1~x~y"), own[1], own[2], own[3]];
    let inbound = [own[0], ("xds.listener_direction", "1"), own[2], own[3]];
    for (properties, expected) in [
        (&all[..], Some("spiffe://t/ns/a/sa/cert")),
        (&all[1..], Some("spiffe://t/ns/a/sa/waypoint")),
        (&all[2..], Some("https://login/bot")),
        (&own, Some("spiffe://cluster.local/ns/retail/sa/bot")),
        (&gateway, None),
        (&inbound, None),
        (&[], None),
    ] {
        let headers =
            [("x-forwarded-client-cert", "URI=spiffe://t/forged"), ("x-caller", "forged")];
        let record = record("{}", properties, &headers);
        assert_eq!(member(&record, "caller"), expected, "{record}");
    }
}

#[test]
fn a_user_is_a_verified_claim_of_the_named_issuer() {
    let spec = r#"{"identity":{"user":{"header":"x-user-token","claim":"sub","issuer":"https://login","strip":true}}}"#;
    let claim = |key: &str, name: &str| format!("{JWT}.{key}.{name}");
    let (iss, sub) = (claim("payload", "iss"), claim("payload", "sub"));
    let (iss2, sub2) = (claim("https://login", "iss"), claim("https://login", "sub"));
    for (properties, expected) in [
        (vec![(iss.as_str(), "https://login"), (sub.as_str(), "user-42")], Some("user-42")),
        (vec![(iss.as_str(), "https://other"), (sub.as_str(), "user-42")], None),
        (vec![(iss2.as_str(), "https://login"), (sub2.as_str(), "user-7")], Some("user-7")),
        (vec![], None),
    ] {
        let record = record(spec, &properties, &[("x-user-token", "eyJ.not.read")]);
        assert_eq!(member(&record, "user"), expected, "{record}");
    }
}

#[test]
fn a_policy_for_others_refuses() {
    let spec = r#"{"appliesTo":{"callers":["spiffe://t/*"]}}"#;
    let good = record(spec, &[CERTIFICATE], &[]);
    assert_eq!(member(&good, "decision"), Some("pass"), "{good}");
    for properties in [&[][..], &[("connection.uri_san_peer_certificate", "spiffe://u/x")]] {
        let refused = record(spec, properties, &[]);
        assert_eq!(member(&refused, "decision"), Some("reject"), "{refused}");
        assert_eq!(member(&refused, "by"), Some("no-policy"), "{refused}");
    }
}

#[test]
fn pseudonyms_are_stable_and_tell_nothing() {
    let keyed = r#"{"keys":[{"name":"p","use":"Pseudonym","env":"K"}],"audit":{"subject":"Pseudonym","key":"p"}}"#;
    let one = record(keyed, &[CERTIFICATE], &[]);
    assert_eq!(member(&one, "caller"), member(&record(keyed, &[CERTIFICATE], &[]), "caller"));
    assert!(member(&one, "caller").is_some_and(|c| c.starts_with("p:") && c.len() == 34), "{one}");
    assert!(!one.contains("spiffe://t"), "{one}");
    let none = record(r#"{"audit":{"subject":"Nothing"}}"#, &[CERTIFICATE], &[]);
    assert_eq!(member(&none, "caller"), None, "{none}");
}
