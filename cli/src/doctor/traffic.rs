//! Ways to the providers: services, ports and what the mesh lets out.

use serde_json::Value;

use super::Finding;
use super::manifests::{Manifests, Resource, has, text};
use super::plugins::Plugin;

/// How a port that Istio reads as HTTP is called.
const READABLE: [&str; 4] = ["http", "http2", "grpc", "grpc-web"];

/// What is wrong with the ways that traffic takes.
pub fn findings(manifests: &Manifests) -> Vec<Finding<'_>> {
    let mut found = Vec::new();
    providers(manifests, &mut found);
    ports(manifests, &mut found);
    ways_out(manifests, &mut found);
    found
}

/// Each host that a policy names is known to the mesh, and as HTTP.
fn providers<'a>(manifests: &'a Manifests, found: &mut Vec<Finding<'a>>) {
    for plugin in Plugin::all(manifests).filter(|plugin| plugin.is_weir()) {
        for host in plugin.hosts() {
            let names = |entry: &&Resource| {
                entry.list("/spec/hosts").iter().any(|name| name.as_str() == Some(host))
            };
            let mut entries = manifests.of("ServiceEntry").filter(names).peekable();
            if entries.peek().is_none()
                && host.contains('.')
                && !host.ends_with(".svc.cluster.local")
            {
                found.push(Finding::new(
                    plugin.resource,
                    "/spec",
                    format!(
                        "no ServiceEntry knows {host}, so calls to it go out unseen, or nowhere"
                    ),
                    "add a ServiceEntry with an HTTP port, and a DestinationRule for TLS",
                ));
            }
            for entry in entries {
                for (index, port) in entry.list("/spec/ports").iter().enumerate() {
                    let protocol = text(port, "/protocol");
                    if !READABLE.contains(&protocol.to_lowercase().as_str()) {
                        found.push(Finding::new(
                            entry,
                            format!("/spec/ports/{index}"),
                            format!("what goes to {host} as {protocol} is not read"),
                            "write protocol: HTTP with targetPort: 443, and a DestinationRule for TLS",
                        ));
                    }
                }
            }
        }
    }
}

/// Istio reads a port as HTTP by its name or `appProtocol`.
fn ports<'a>(manifests: &'a Manifests, found: &mut Vec<Finding<'a>>) {
    for service in manifests.of("Service") {
        let Some(selector) = service.get("/spec/selector").and_then(Value::as_object) else {
            continue;
        };
        let guarded = Plugin::all(manifests).filter(|p| p.is_weir()).any(|plugin| {
            let labels =
                plugin.resource.get("/spec/selector/matchLabels").and_then(Value::as_object);
            plugin.resource.namespace() == service.namespace()
                && labels.is_some_and(|labels| {
                    manifests
                        .selected(service.namespace(), labels)
                        .filter_map(Resource::pod_labels)
                        .any(|own| has(own, selector))
                })
        });
        for (index, port) in service.list("/spec/ports").iter().enumerate().filter(|_| guarded) {
            let (name, protocol) = (text(port, "/name"), text(port, "/appProtocol"));
            let first = name.split('-').next().unwrap_or_default();
            let stated = if protocol.is_empty() { first } else { protocol };
            let is_http = READABLE.contains(&stated) || stated.ends_with("/h2c");
            if !is_http {
                found.push(Finding::new(
                    service,
                    format!("/spec/ports/{index}"),
                    "Istio takes the port for plain TCP where its name does not begin with http",
                    "name it http-…, or set appProtocol: http",
                ));
            }
        }
    }
}

/// What is not in the registry is refused, and the network lets nothing else out.
fn ways_out<'a>(manifests: &'a Manifests, found: &mut Vec<Finding<'a>>) {
    let limited = mesh_limits(manifests);
    let mut seen = Vec::new();
    for workload in manifests.all().iter().filter(|r| r.pod().is_some() && !r.is_gateway()) {
        let namespace = workload.namespace();
        if seen.contains(&namespace) {
            continue;
        }
        seen.push(namespace);
        let sidecars = manifests.of("Sidecar").filter(|r| r.namespace() == namespace);
        let mode = |r: &Resource| r.text("/spec/outboundTrafficPolicy/mode").to_owned();
        let modes: Vec<String> = sidecars.map(mode).filter(|mode| !mode.is_empty()).collect();
        let only_known = modes.iter().all(|mode| mode == "REGISTRY_ONLY");
        if !(only_known && (limited || !modes.is_empty())) {
            found.push(Finding::new(
                workload,
                "/metadata/namespace",
                format!("sidecars of {namespace} pass on what the mesh does not know (ALLOW_ANY, the default)"),
                "set outboundTrafficPolicy: {mode: REGISTRY_ONLY} in a Sidecar or in the mesh's configuration",
            ));
        }
        let policies = manifests.of("NetworkPolicy").filter(|r| r.namespace() == namespace);
        let limits_egress = |policy: &Resource| {
            policy.list("/spec/policyTypes").iter().any(|kind| kind.as_str() == Some("Egress"))
        };
        if !policies.into_iter().any(limits_egress) {
            found.push(Finding::new(
                workload,
                "/metadata/namespace",
                format!("no NetworkPolicy limits what {namespace} sends, so it can reach a provider around the gateway"),
                "add one with policyTypes: [Egress] that lets out to the gateway, istiod and DNS",
            ));
        }
    }
}

/// Whether the mesh's own configuration refuses unknown destinations.
fn mesh_limits(manifests: &Manifests) -> bool {
    let configured = manifests.of("ConfigMap").filter(|r| r.name().starts_with("istio"));
    configured.into_iter().any(|map| map.text("/data/mesh").contains("REGISTRY_ONLY"))
}
