//! Workloads: how an application could leave its pod without the sidecar.

use serde_json::Value;

use super::Finding;
use super::manifests::{Manifests, Resource, text};
use super::plugins::Plugin;
use crate::shape::step;

/// The user whose traffic Istio does not capture: the sidecar's own.
const PROXY_USER: i64 = 1337;
/// Annotations that let traffic by, and the values that do not.
const EXCLUDING: [(&str, &str); 5] = [
    ("traffic.sidecar.istio.io/excludeOutboundPorts", ""),
    ("traffic.sidecar.istio.io/excludeOutboundIPRanges", ""),
    ("traffic.sidecar.istio.io/excludeInterfaces", ""),
    ("traffic.sidecar.istio.io/includeOutboundIPRanges", "*"),
    ("traffic.sidecar.istio.io/includeOutboundPorts", "*"),
];

/// What is wrong with workloads; gateways have no application beside them.
pub fn findings(manifests: &Manifests) -> Vec<Finding<'_>> {
    let hosts: Vec<&str> =
        Plugin::all(manifests).filter(|p| p.is_weir()).flat_map(Plugin::hosts).collect();
    let mut found = Vec::new();
    for resource in manifests.all() {
        if let Some(pod) = resource.pod().filter(|_| !resource.is_gateway()) {
            capture(resource, pod, &mut found);
            users(resource, pod, &mut found);
            encrypted(resource, pod, &hosts, &mut found);
        }
    }
    found
}

fn capture<'a>(resource: &'a Resource, pod: &str, found: &mut Vec<Finding<'a>>) {
    if resource.pod_mark("sidecar.istio.io/inject") == "false" {
        found.push(Finding::new(
            resource,
            format!("{pod}/metadata"),
            "it has no sidecar (inject: \"false\"), so nothing brings its traffic to Weir",
            "take sidecar.istio.io/inject out, or let a NetworkPolicy keep it from providers",
        ));
    }
    if resource.get(&format!("{pod}/spec/hostNetwork")) == Some(&Value::Bool(true)) {
        found.push(Finding::new(
            resource,
            format!("{pod}/spec/hostNetwork"),
            "on the host's network its traffic is not captured",
            "take hostNetwork out",
        ));
    }
    for (name, harmless) in EXCLUDING {
        let value = resource.pod_mark(name);
        if !value.is_empty() && value != harmless {
            found.push(Finding::new(
                resource,
                step(&format!("{pod}/metadata/annotations"), name),
                format!("{name} lets some of its traffic pass by the sidecar"),
                "take the annotation out",
            ));
        }
    }
}

fn users<'a>(resource: &'a Resource, pod: &str, found: &mut Vec<Finding<'a>>) {
    let mut places = vec![format!("{pod}/spec/securityContext")];
    for (index, container) in containers(resource, pod) {
        if container.get("name").and_then(Value::as_str) != Some("istio-proxy") {
            places.push(format!("{pod}/spec/containers/{index}/securityContext"));
        }
    }
    for place in places {
        for field in ["runAsUser", "runAsGroup"] {
            let at = format!("{place}/{field}");
            if resource.get(&at).and_then(Value::as_i64) == Some(PROXY_USER) {
                found.push(Finding::new(
                    resource,
                    at,
                    "what user or group 1337 sends passes by the sidecar, which is that user",
                    "run it as another",
                ));
            }
        }
    }
}

/// Base URLs with which the application itself encrypts what the filter should read.
fn encrypted<'a>(resource: &'a Resource, pod: &str, hosts: &[&str], found: &mut Vec<Finding<'a>>) {
    for (index, container) in containers(resource, pod) {
        let variables = container.get("env").and_then(Value::as_array);
        for (variable, entry) in variables.into_iter().flatten().enumerate() {
            let Some(rest) = text(entry, "/value").strip_prefix("https://") else { continue };
            let host = rest.split(['/', ':', '?']).next().unwrap_or_default();
            if hosts.contains(&host) {
                found.push(Finding::new(
                    resource,
                    format!("{pod}/spec/containers/{index}/env/{variable}/value"),
                    format!(
                        "the application encrypts what it sends to {host}, so nobody can read it"
                    ),
                    format!("write http://{host}: the mesh speaks TLS to the provider"),
                ));
            }
        }
    }
}

fn containers<'a>(resource: &'a Resource, pod: &str) -> impl Iterator<Item = (usize, &'a Value)> {
    resource.list(&format!("{pod}/spec/containers")).iter().enumerate()
}
