//! EnvoyFilters: those that take Weir out, change it or follow it, and those that bring it.

use serde_json::Value;

use super::manifests::{Manifests, Resource, text};
use super::{Finding, UNPINNED};

const ROUTER: &str = "envoy.filters.http.router";

/// What is wrong with EnvoyFilters.
pub fn findings(manifests: &Manifests) -> Vec<Finding<'_>> {
    let mut found = Vec::new();
    for resource in manifests.of("EnvoyFilter") {
        for (index, patch) in resource.list("/spec/configPatches").iter().enumerate() {
            let at = format!("/spec/configPatches/{index}");
            one(resource, patch, &at, &mut found);
        }
    }
    found
}

fn one<'a>(resource: &'a Resource, patch: &Value, at: &str, found: &mut Vec<Finding<'a>>) {
    let mut add = |pointer: &str, reason: &str, cure: &str| {
        found.push(Finding::new(resource, format!("{at}{pointer}"), reason, cure));
    };
    let value = patch.pointer("/patch/value").unwrap_or(&Value::Null);
    let weir = brings_weir(value);
    let operation = text(patch, "/patch/operation");
    let around = text(patch, "/match/listener/filterChain/filter/subFilter/name");
    match text(patch, "/applyTo") {
        "HTTP_FILTER" if !weir => {
            let touches = around.is_empty() || is_weir(around);
            match operation {
                "REMOVE" | "REPLACE" | "MERGE" if touches => add(
                    "/patch/operation",
                    "it may take Weir out, or change it",
                    "name another filter in match",
                ),
                "ADD" | "INSERT_AFTER" | "INSERT_BEFORE"
                    if around == ROUTER || touches && operation != "INSERT_BEFORE" =>
                {
                    add(
                        "/patch/operation",
                        "it puts a filter behind Weir, which does not see what that changes",
                        "insert it first, or before another filter",
                    )
                }
                _ => {}
            }
        }
        "NETWORK_FILTER" if matches!(operation, "REMOVE" | "REPLACE") => add(
            "/patch/operation",
            "it may replace the HTTP connection manager, and Weir with it",
            "merge what is to change",
        ),
        "HTTP_ROUTE" | "VIRTUAL_HOST" | "ROUTE_CONFIGURATION" => {
            for field in ["typed_per_filter_config", "typedPerFilterConfig"] {
                let configured = value.get(field).and_then(Value::as_object);
                if configured.is_some_and(|all| all.keys().any(|name| is_weir(name))) {
                    add("/patch/value", "a route disables or changes Weir", "take it out");
                }
            }
        }
        "BOOTSTRAP" => add(
            "/applyTo",
            "Istio 1.31 does not read patches of the bootstrap: it does nothing",
            "use the annotation sidecar.istio.io/bootstrapOverride",
        ),
        _ => {}
    }
    if weir {
        let config = value.pointer("/typed_config/config").unwrap_or(&Value::Null);
        if text(config, "/failure_policy") == "FAIL_OPEN"
            || config.get("fail_open") == Some(&Value::Bool(true))
        {
            add(
                "/patch/value/typed_config/config",
                "with FAIL_OPEN traffic passes unread when the module faults",
                "write failure_policy: FAIL_RELOAD",
            );
        }
        if config.get("vm_config").is_some()
            && text(config, "/vm_config/code/remote/sha256").is_empty()
        {
            add(
                "/patch/value/typed_config/config/vm_config",
                UNPINNED,
                "set vm_config.code.remote.sha256",
            );
        }
        if config.get("vm_config").is_some()
            && !text(config, "/configuration/value").contains("guard.weir.dev/")
        {
            add(
                "/patch/value/typed_config/config",
                "it has no policy, so it refuses every request",
                "put a Policy or Bundle as JSON into configuration, a StringValue",
            );
        }
    }
}

fn is_weir(name: &str) -> bool {
    name.starts_with("weir") || name.starts_with("extensions.istio.io/")
}

/// Whether a filter or its configuration is Weir.
fn brings_weir(value: &Value) -> bool {
    let named = |pointer| text(value, pointer).starts_with("weir");
    named("/name") || named("/typed_config/config/root_id")
}
