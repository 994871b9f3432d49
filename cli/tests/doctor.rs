//! `weir doctor`: one way around the filter at a time, put into manifests in which it finds nothing.

mod common;

use common::{Folder, policy};

/// A gateway with Weir, a provider, and an assistant that can reach nothing else.
const GOOD: &str = r#"
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: weir, namespace: weir-egress}
spec:
  pluginName: weir
  url: oci://registry.example.com/weir:1
  sha256: deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef
  priority: -1000
  failStrategy: FAIL_RELOAD
  selector: {matchLabels: {app: weir-egress}}
  pluginConfig:
    apiVersion: guard.weir.dev/v1alpha1
    kind: Policy
    metadata: {name: p}
    spec:
      traffic: [{hosts: [api.openai.com]}]
      packs: [{name: secrets, action: Mask}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: gateway, namespace: weir-egress}
spec:
  template:
    metadata:
      labels: {app: weir-egress}
      annotations: {inject.istio.io/templates: gateway}
    spec: {containers: [{name: istio-proxy, image: auto}]}
---
apiVersion: v1
kind: Service
metadata: {name: gateway, namespace: weir-egress}
spec: {selector: {app: weir-egress}, ports: [{name: http-llm, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: openai, namespace: weir-egress}
spec: {hosts: [api.openai.com], ports: [{number: 80, name: http, protocol: HTTP, targetPort: 443}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: assistant, namespace: apps}
spec:
  template:
    metadata: {labels: {app: assistant}, annotations: {note: x}}
    spec:
      securityContext: {runAsUser: 10001}
      containers: [{name: a, env: [{name: OPENAI_BASE_URL, value: "http://api.openai.com/v1"}]}]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: {name: default, namespace: apps}
spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: out, namespace: apps}
spec: {podSelector: {}, policyTypes: [Egress]}
"#;

/// What is replaced, by what, the kind that is blamed, and a part of the reason.
const WAYS: &[(&str, &str, &str, &str)] = &[
    ("FAIL_RELOAD", "FAIL_OPEN", "WasmPlugin", "FAIL_OPEN"),
    (
        "  sha256: deadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef\n",
        "",
        "WasmPlugin",
        "not pinned",
    ),
    ("  priority: -1000\n", "", "WasmPlugin", "priority"),
    (
        "matchLabels: {app: weir-egress}",
        "matchLabels: {app: weir-ergess}",
        "WasmPlugin",
        "matches no workload",
    ),
    ("  selector: {matchLabels: {app: weir-egress}}\n", "", "WasmPlugin", "every proxy"),
    (
        "  priority: -1000\n",
        "  priority: -1000\n  match: [{mode: SERVER}]\n",
        "WasmPlugin",
        "SERVER",
    ),
    ("  priority: -1000\n", "  priority: -1000\n  phase: AUTHN\n", "WasmPlugin", "who calls"),
    ("name: secrets", "name: secretz", "WasmPlugin", "policy is refused"),
    (
        "packs: [{name: secrets, action: Mask}]",
        "limits: {depth: 9007199254740995}",
        "WasmPlugin",
        "2^53",
    ),
    ("packs: [{name: secrets, action: Mask}]", "packs: null", "WasmPlugin", "null"),
    (
        "hosts: [api.openai.com], ports",
        "hosts: [api.example.com], ports",
        "WasmPlugin",
        "no ServiceEntry",
    ),
    ("protocol: HTTP,", "protocol: TLS,", "ServiceEntry", "not read"),
    ("name: http-llm", "name: llm", "Service", "plain TCP"),
    (
        "annotations: {note: x}",
        "annotations: {sidecar.istio.io/inject: \"false\"}",
        "Deployment",
        "no sidecar",
    ),
    (
        "annotations: {note: x}",
        "annotations: {traffic.sidecar.istio.io/excludeOutboundPorts: \"443\"}",
        "Deployment",
        "pass by",
    ),
    (
        "annotations: {note: x}",
        "annotations: {traffic.sidecar.istio.io/excludeOutboundIPRanges: 10.0.0.0/8}",
        "Deployment",
        "pass by",
    ),
    (
        "annotations: {note: x}",
        "annotations: {traffic.sidecar.istio.io/includeOutboundIPRanges: 10.0.0.0/8}",
        "Deployment",
        "pass by",
    ),
    ("runAsUser: 10001", "runAsUser: 1337", "Deployment", "1337"),
    ("securityContext: {runAsUser: 10001}", "hostNetwork: true", "Deployment", "host's network"),
    ("http://api.openai.com/v1", "https://api.openai.com/v1", "Deployment", "encrypts"),
    ("mode: REGISTRY_ONLY", "mode: ALLOW_ANY", "Deployment", "ALLOW_ANY"),
    ("spec: {outboundTrafficPolicy: {mode: REGISTRY_ONLY}}", "spec: {}", "Deployment", "ALLOW_ANY"),
    ("policyTypes: [Egress]", "policyTypes: [Ingress]", "Deployment", "NetworkPolicy"),
];

/// EnvoyFilters and plugins that come beside, and a part of the reason.
const BESIDE: &[(&str, &str)] = &[
    ("{applyTo: HTTP_FILTER, patch: {operation: REMOVE}}", "take Weir out"),
    (
        "{applyTo: HTTP_FILTER, match: {listener: {filterChain: {filter: {subFilter: {name: envoy.filters.http.router}}}}}, patch: {operation: INSERT_BEFORE, value: {name: a}}}",
        "behind Weir",
    ),
    ("{applyTo: HTTP_FILTER, patch: {operation: ADD, value: {name: a}}}", "behind Weir"),
    (
        "{applyTo: HTTP_ROUTE, patch: {operation: MERGE, value: {typed_per_filter_config: {weir: {}}}}}",
        "a route disables",
    ),
    ("{applyTo: NETWORK_FILTER, patch: {operation: REPLACE}}", "connection manager"),
    ("{applyTo: BOOTSTRAP, patch: {operation: MERGE}}", "bootstrap"),
    (
        "{applyTo: EXTENSION_CONFIG, patch: {operation: ADD, value: {name: weir, typed_config: {config: {root_id: weir, failure_policy: FAIL_OPEN, vm_config: {code: {remote: {sha256: a}}}, configuration: {value: guard.weir.dev/v1}}}}}}",
        "FAIL_OPEN",
    ),
    (
        "{applyTo: EXTENSION_CONFIG, patch: {operation: ADD, value: {name: weir, typed_config: {config: {vm_config: {code: {local: {}}}, configuration: {value: guard.weir.dev/v1}}}}}}",
        "not pinned",
    ),
    (
        "{applyTo: EXTENSION_CONFIG, patch: {operation: ADD, value: {name: weir, typed_config: {config: {vm_config: {code: {remote: {sha256: a}}}}}}}}",
        "no policy",
    ),
];

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    let folder = Folder::new("doctor-good");
    let ran = folder.run("doctor", GOOD);
    assert_eq!((ran.exit, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert!(ran.err.contains("7 resources"), "{}", ran.err);
}

/// A moment is judged by the clock: what has ended or ends soon is no fault of the policy.
#[test]
fn what_ends_in_time_is_no_finding() {
    let folder = Folder::new("doctor-ends");
    let (before, rest) = GOOD.split_once("    kind: Policy\n").expect("a policy");
    let (_, after) = rest.split_once("---").expect("another resource");
    let bundle = r#"    kind: Bundle
    metadata: {name: b}
    spec:
      baseline:
        metadata: {name: floor}
        spec:
          overrides: {}
          delegate: {breakGlass: {maxDuration: 4h}}
          breakGlass: {until: "2026-01-01T00:00:00Z", policies: ["*"], ticket: INC-9}
      policies:
        - metadata: {name: p}
          spec: {traffic: [{hosts: [api.openai.com]}], packs: [{name: secrets, action: Mask}]}
"#;
    let ran = folder.run("doctor", format!("{before}{bundle}---{after}"));
    assert_eq!((ran.exit, ran.out.as_str()), (0, ""), "{}", ran.err);
}

#[test]
fn each_way_around_is_found_with_its_place_and_cure() {
    let folder = Folder::new("doctor-ways");
    for (old, new, kind, reason) in WAYS {
        assert_eq!(GOOD.matches(old).count().min(1), 1, "{old}");
        folder.file("mesh.yaml", GOOD.replacen(old, new, 1));
        let ran = folder.run("doctor mesh.yaml", "");
        assert_eq!(ran.exit, 1, "{new}: {}", ran.out);
        let line = ran
            .out
            .lines()
            .find(|line| line.contains(reason))
            .unwrap_or_else(|| panic!("{new}: {}", ran.out));
        assert!(line.contains(&format!(": {kind} ")) && line.ends_with(')'), "{line}");
        let place: Vec<&str> = line.split(':').take(3).collect();
        assert!(
            place[0] == "mesh.yaml" && place[1..].iter().all(|part| part.parse::<usize>().is_ok()),
            "{line}"
        );
    }
}

#[test]
fn what_comes_beside_is_found() {
    let folder = Folder::new("doctor-beside");
    for (patch, reason) in BESIDE {
        let filter = format!(
            "{GOOD}---\nkind: EnvoyFilter\nmetadata: {{name: f, namespace: apps}}\nspec: {{configPatches: [{patch}]}}\n"
        );
        let ran = folder.run("doctor", filter);
        assert!(ran.exit == 1 && ran.out.contains(reason), "{patch}: {}", ran.out);
    }
    for (spec, exit) in
        [("priority: 5", 0), ("priority: -2000", 1), ("pluginName: x", 1), ("phase: AUTHZ", 0)]
    {
        let other = format!(
            "{GOOD}---\nkind: WasmPlugin\nmetadata: {{name: other, namespace: weir-egress}}\nspec: {{selector: {{matchLabels: {{app: weir-egress}}}}, {spec}}}\n"
        );
        let ran = folder.run("doctor", other);
        assert_eq!(ran.exit, exit, "{spec}: {}", ran.out);
        assert_eq!(ran.out.contains("behind Weir"), exit == 1, "{spec}: {}", ran.out);
    }
}

#[test]
fn a_list_as_kubectl_prints_it_and_json() {
    let folder = Folder::new("doctor-list");
    let items: String = GOOD
        .trim_start()
        .split("---\n")
        .map(|document| {
            let indented: String = document.lines().map(|line| format!("    {line}\n")).collect();
            format!("  -\n{indented}")
        })
        .collect();
    let list =
        format!("apiVersion: v1\nkind: List\nitems:\n{items}").replace("FAIL_RELOAD", "FAIL_OPEN");
    let ran = folder.run("doctor --format json", list);
    assert_eq!(ran.exit, 1);
    let row: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&row["kind"], &row["name"]), (&"WasmPlugin".into(), &"weir".into()));
    assert_eq!(row["pointer"], "/spec/failStrategy");
    assert_eq!(row["line"], 13, "{}", ran.out);
}

#[test]
fn a_policy_alone_leads_no_traffic_anywhere() {
    let ran = Folder::new("doctor-policy").run("doctor", policy("{}"));
    assert_eq!((ran.exit, ran.out.as_str()), (0, ""), "{}", ran.err);
}

#[test]
fn what_cannot_be_read() {
    let folder = Folder::new("doctor-unreadable");
    folder.file("bad.yaml", "a: [1\n");
    for arguments in ["doctor missing.yaml", "doctor bad.yaml"] {
        let ran = folder.run(arguments, "");
        assert_eq!((ran.exit, ran.out.as_str()), (2, ""), "{arguments}");
    }
}
