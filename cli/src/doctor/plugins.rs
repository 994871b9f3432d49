//! WasmPlugins and TrafficExtensions: whether Weir is where it should be, and last.

use serde_json::{Map, Value};
use weir_filter::Guard;

use super::manifests::{Manifests, ROOT, Resource, has, text};
use super::{Finding, UNPINNED};
use crate::shape::step;

/// The largest whole number that survives the way through the API server.
const EXACT: u64 = 1 << 53;
/// What YAML 1.1, which kubectl reads, takes for a boolean where it stands without quotes.
const BOOLEANS: [&str; 8] = ["y", "n", "yes", "no", "on", "off", "true", "false"];

/// A plugin and where its fields lie: a TrafficExtension has some one level down.
#[derive(Clone, Copy)]
pub struct Plugin<'a> {
    pub resource: &'a Resource,
    inner: &'static str,
}

impl<'a> Plugin<'a> {
    /// All plugins.
    pub fn all(manifests: &'a Manifests) -> impl Iterator<Item = Plugin<'a>> {
        let wasm = manifests.of("WasmPlugin").map(|resource| Plugin { resource, inner: "/spec" });
        let extensions = manifests.of("TrafficExtension");
        wasm.chain(extensions.map(|resource| Plugin { resource, inner: "/spec/wasm" }))
    }

    /// Whether it is Weir, by its name or its policy.
    pub fn is_weir(self) -> bool {
        let policy = self.text("/pluginConfig/apiVersion");
        self.resource.name().starts_with("weir")
            || self.text("/pluginName").starts_with("weir")
            || policy.starts_with("guard.weir.dev/")
    }

    /// The hosts that its policies name, globs left out.
    pub fn hosts(self) -> Vec<&'a str> {
        let policies = self.resource.list(&self.at("/pluginConfig/spec/policies"));
        let specs = policies.iter().filter_map(|policy| policy.get("spec"));
        let traffic = specs
            .chain(self.resource.get(&self.at("/pluginConfig/spec")))
            .filter_map(|spec| spec.get("traffic")?.as_array());
        let named = traffic.flatten().filter_map(|entry| entry.get("hosts")?.as_array());
        let names = named.flatten().filter_map(Value::as_str);
        names.filter(|host| !host.contains('*')).collect()
    }

    fn at(self, field: &str) -> String {
        format!("{}{field}", self.inner)
    }

    fn text(self, field: &str) -> &'a str {
        self.resource.text(&self.at(field))
    }

    fn labels(self) -> Option<&'a Map<String, Value>> {
        self.resource.get("/spec/selector/matchLabels")?.as_object()
    }

    /// Where it comes in the chain: by phase, then by priority, the highest first and none last.
    fn order(self) -> (u8, i64) {
        let phase = match self.resource.text("/spec/phase") {
            "AUTHN" => 0,
            "AUTHZ" => 1,
            "STATS" => 2,
            _ => 3,
        };
        let priority = self.resource.get("/spec/priority").and_then(Value::as_i64);
        (phase, priority.map_or(i64::MAX, |priority| -priority))
    }

    /// Whether both may be in one proxy.
    fn meets(self, other: Plugin<'_>) -> bool {
        let (here, there) = (self.resource.namespace(), other.resource.namespace());
        let same = here == there || here == ROOT || there == ROOT;
        same && match (self.labels(), other.labels()) {
            (Some(own), Some(theirs)) => has(own, theirs) || has(theirs, own),
            _ => self.resource.list("/spec/targetRefs") == other.resource.list("/spec/targetRefs"),
        }
    }
}

/// Weir's plugins, each with the hash of the document that it carries; none where the document is refused.
pub fn carried(manifests: &Manifests) -> Vec<(&Resource, Option<String>)> {
    let weir = Plugin::all(manifests).filter(|plugin| plugin.is_weir());
    let hash = |plugin: Plugin<'_>| {
        let config = plugin.resource.get(&plugin.at("/pluginConfig"))?;
        crate::policy::guard(config).ok().map(|guard| guard.hash.clone())
    };
    weir.map(|plugin| (plugin.resource, hash(plugin))).collect()
}

/// What is wrong with Weir's plugins.
pub fn findings(manifests: &Manifests) -> Vec<Finding<'_>> {
    let mut found = Vec::new();
    for plugin in Plugin::all(manifests).filter(|plugin| plugin.is_weir()) {
        itself(plugin, &mut found);
        place(manifests, plugin, &mut found);
        let at = plugin.at("/pluginConfig");
        match plugin.resource.get(&at) {
            Some(config) => policy(plugin, config, &at, &mut found),
            None => found.push(Finding::new(
                plugin.resource,
                plugin.inner,
                "it has no policy, so it refuses every request",
                "put a Policy or Bundle into pluginConfig",
            )),
        }
        for other in Plugin::all(manifests).filter(|other| !other.is_weir() && plugin.meets(*other))
        {
            if other.order() >= plugin.order() {
                found.push(Finding::new(
                    other.resource,
                    "/spec/priority",
                    "it may run behind Weir, which does not see what it changes",
                    "give it an earlier phase or a higher priority than Weir's",
                ));
            }
        }
    }
    found
}

fn itself<'a>(plugin: Plugin<'a>, found: &mut Vec<Finding<'a>>) {
    let resource = plugin.resource;
    if plugin.text("/failStrategy") == "FAIL_OPEN" {
        found.push(Finding::new(
            resource,
            plugin.at("/failStrategy"),
            "with FAIL_OPEN traffic passes unread when the module faults or cannot be pulled",
            "write FAIL_RELOAD",
        ));
    }
    let url = plugin.text("/url");
    if plugin.text("/sha256").is_empty() && !url.contains("@sha256:") {
        found.push(Finding::new(
            resource,
            plugin.at("/url"),
            UNPINNED,
            "set sha256, or name it by digest",
        ));
    }
    if resource.text("/spec/phase") == "AUTHN" {
        found.push(Finding::new(
            resource,
            "/spec/phase",
            "phase AUTHN comes before Istio knows who calls",
            "leave phase out",
        ));
    }
    if resource.get("/spec/priority").is_none() {
        found.push(Finding::new(
            resource,
            "/spec",
            "without a priority its place among other plugins without one is left to chance",
            "set priority, lower than that of others",
        ));
    }
}

/// Whether it is in a proxy at all, and reads what it should.
fn place<'a>(manifests: &'a Manifests, plugin: Plugin<'a>, found: &mut Vec<Finding<'a>>) {
    let resource = plugin.resource;
    let namespace = resource.namespace();
    let targets = resource.list("/spec/targetRefs");
    let modes: Vec<&str> =
        resource.list("/spec/match").iter().filter_map(|m| m.get("mode")?.as_str()).collect();
    let Some(labels) = plugin.labels() else {
        if targets.is_empty() {
            found.push(Finding::new(
                resource,
                "/spec",
                "it selects every proxy of its namespace, each of which then needs some 70 MB more",
                "name the proxies in selector or targetRefs",
            ));
        }
        for (at, target) in targets.iter().enumerate() {
            let (kind, name) = (text(target, "/kind"), text(target, "/name"));
            let known = |r: &&Resource| r.namespace() == namespace && r.name() == name;
            if manifests.of(kind).find(known).is_none() {
                found.push(Finding::new(
                    resource,
                    format!("/spec/targetRefs/{at}"),
                    format!("there is no {kind} {name} in {namespace}"),
                    "correct the name; a target must be in the plugin's namespace",
                ));
            }
        }
        return;
    };
    let mut selected = manifests.selected(namespace, labels).peekable();
    if selected.peek().is_none() && manifests.workloads().next().is_some() {
        found.push(Finding::new(
            resource,
            "/spec/selector/matchLabels",
            "its selector matches no workload of its namespace, so it is in no proxy",
            "correct labels or namespace",
        ));
    }
    if !modes.is_empty()
        && modes.iter().all(|mode| *mode == "SERVER")
        && selected.any(Resource::is_gateway)
    {
        found.push(Finding::new(
            resource,
            "/spec/match",
            "a gateway's listeners count as CLIENT, so with mode SERVER it does nothing there",
            "leave match out",
        ));
    }
}

fn policy<'a>(plugin: Plugin<'a>, config: &Value, at: &str, found: &mut Vec<Finding<'a>>) {
    let mangled = found.len();
    mangling(plugin, config, at, found);
    if found.len() > mangled {
        return;
    }
    let document = config.to_string();
    // Keys are checked for being named, not for what they are.
    let key = |_: &str| Some("0123456789abcdef0123456789abcdef".to_owned());
    if let Err(errors) = Guard::new(document.as_bytes(), &key, crate::policy::now()) {
        for error in errors.0 {
            found.push(Finding::new(
                plugin.resource,
                format!("{at}{}", error.pointer),
                format!("its policy is refused: {}", error.reason),
                error.cure,
            ));
        }
    }
}

/// What does not reach the module as it is written here.
fn mangling<'a>(plugin: Plugin<'a>, value: &Value, at: &str, found: &mut Vec<Finding<'a>>) {
    let mut add = |reason: &str, cure: &str| {
        found.push(Finding::new(plugin.resource, at, reason, cure));
    };
    match value {
        Value::Null => {
            add("Kubernetes drops a field that is null", "leave it out, or write a value")
        }
        Value::Number(number)
            if number.as_i64().map_or(number.is_u64(), |n| n.unsigned_abs() > EXACT) =>
        {
            add(
                "Kubernetes loses digits of whole numbers above 2^53",
                "write it in quotes, or smaller",
            );
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                mangling(plugin, item, &format!("{at}/{index}"), found);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let inner = step(at, name);
                if BOOLEANS.contains(&name.to_lowercase().as_str()) {
                    let reason = format!("kubectl takes the key {name} for a boolean");
                    found.push(Finding::new(
                        plugin.resource,
                        &*inner,
                        reason,
                        "choose another name",
                    ));
                }
                mangling(plugin, member, &inner, found);
            }
        }
        _ => {}
    }
}
