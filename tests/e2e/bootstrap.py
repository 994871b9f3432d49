"""Envoy configuration for the tests, as Python dictionaries that become JSON.

One listener on a port that the kernel picks and one upstream, reached by HTTP/1 or, for requests with the header
`x-upstream: h2`, by HTTP/2. WebSockets are allowed, so that the module alone decides about them. The module is an HTTP
filter given inline, or by a file that Envoy watches (ECDS for the filter, LDS for the whole listener), for tests that
replace a running policy.
There may be several Weirs in a chain, and several listeners, each with Weirs of its own.
"""

from dataclasses import dataclass, field
from pathlib import Path

WASM = "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm"
MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HTTP_OPTIONS = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

TRAILERS = {"enable_trailers": True}

H1 = {"http_protocol_options": TRAILERS}
H2 = {"http2_protocol_options": {}}
"""The protocols that a cluster speaks."""

UPSTREAM = "x-upstream"
"""The header with which a test chooses the protocol towards the provider: `h2`, HTTP/1 without it; `nowhere` has no
route."""

ACCESS = {
    "scenario": "%REQ(X-SCENARIO)%",
    "status": "%RESPONSE_CODE%",
    "flags": "%RESPONSE_FLAGS%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "weir": "%FILTER_STATE(wasm.weir:PLAIN)%",
}
"""One access log line; `weir` holds the audit record."""


@dataclass(frozen=True)
class Weir:
    """One Weir in a chain. `name` is the filter's, and its resource's under ECDS: filters of the same name share the
    resource. `plugin` is the plugin name, by which the module knows its policy again; Weirs of the same `vm` run in
    one VM a worker and share what the module keeps. `environment`: the variables of the VM, where the keys of a policy
    are; `vm_configuration`: a text that the module does not read, by which VMs of one name differ."""

    configuration: str
    name: str = "weir"
    plugin: str = "weir"
    delivery: str = "Inline"
    vm: str = "weir"
    vm_configuration: str = ""
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listener:
    """A listener on a port that the kernel picks, with these Weirs in its chain, the outermost first."""

    name: str
    weirs: tuple[Weir, ...]


@dataclass(frozen=True)
class Plan:
    """What to run. `module` None means a proxy without the filter. `delivery`: Inline, ECDS or LDS.
    `port` 0 lets the kernel pick one. `stops_on_headers`: the filter may hold heads, as `holdHeaders` needs.
    `buffer_limit`: bytes that Envoy buffers for each connection, its own default where 0.
    `vm`, `vm_configuration` and `environment` are the first Weir's. `inner`: further Weirs behind it in its chain;
    `others`: further listeners. `drain`: seconds that an old listener goes on after an update."""

    folder: Path
    upstream_port: int
    module: Path | None = None
    configuration: str = ""
    delivery: str = "Inline"
    port: int = 0
    stops_on_headers: bool = False
    buffer_limit: int = 0
    vm: str = "weir"
    vm_configuration: str = ""
    environment: dict[str, str] = field(default_factory=dict)
    inner: tuple[Weir, ...] = ()
    others: tuple[Listener, ...] = ()
    failure_policy: str = "FAIL_RELOAD"
    concurrency: int = 1
    drain: int = 1
    stats_tags: tuple[dict, ...] = ()

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """All listeners, the one that most tests talk to first."""
        vm = {"vm": self.vm, "vm_configuration": self.vm_configuration, "environment": self.environment}
        first = Weir(self.configuration, delivery=self.delivery, **vm)
        return (Listener("ingress", (first, *self.inner)), *self.others)

    def watched(self, resource: str) -> Path:
        """The folder in which a rename updates this resource: a filter by its name, or `LDS` for the listeners."""
        return self.folder / "watched" / resource


def bootstrap(plan: Plan) -> dict:
    """The whole bootstrap document."""
    resources = {"clusters": [_cluster("provider", plan, H1), _cluster("provider-h2", plan, H2)]}
    dynamic = {}
    if plan.delivery == "LDS":
        dynamic = {"dynamic_resources": {"lds_config": _watch(plan.watched("LDS"))}}
    else:
        resources["listeners"] = [_listener(plan, each) for each in plan.listeners]
    return {
        "node": {"id": "weir-e2e", "cluster": "weir-e2e"},
        "admin": {"address": _address(0)},
        "stats_config": {"stats_tags": list(plan.stats_tags)},
        "static_resources": resources,
        **dynamic,
    }


def update_documents(plan: Plan, version: int) -> dict[str, dict]:
    """What the watched files hold, by resource: each filter that ECDS delivers, and the listeners where LDS does."""
    found = {}
    if plan.delivery == "LDS":
        kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
        found["LDS"] = _document(version, [{"@type": kind, **_listener(plan, each)} for each in plan.listeners])
    kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
    for weir in (weir for each in plan.listeners for weir in each.weirs if weir.delivery == "ECDS"):
        resource = {"@type": kind, "name": weir.name, "typed_config": _wasm(plan, weir)}
        found[weir.name] = _document(version, [resource])
    return found


def _document(version: int, resources: list[dict]) -> dict:
    return {"version_info": str(version), "resources": resources}


def _listener(plan: Plan, made: Listener) -> dict:
    """The listener with its one filter chain."""
    manager = {
        "@type": MANAGER,
        "stat_prefix": "ingress",
        "codec_type": "AUTO",
        "http_protocol_options": TRAILERS,
        "http2_protocol_options": {"allow_connect": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "generate_request_id": False,
        "access_log": [_access_log(plan.folder / "access.log")],
        "route_config": {
            "name": "all",
            "virtual_hosts": [
                {
                    "name": "all",
                    "domains": ["*"],
                    "routes": [
                        _route("provider-h2", {"exact": "h2"}),
                        _route("provider", {"exact": "nowhere"}, invert_match=True),
                    ],
                }
            ],
        },
        "http_filters": [*_weirs(plan, made), _filter("router", "envoy.extensions.filters.http.router.v3.Router")],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    limit = {"per_connection_buffer_limit_bytes": plan.buffer_limit} if plan.buffer_limit else {}
    port = plan.port if made.name == "ingress" else 0
    return {"name": made.name, "address": _address(port), "filter_chains": [chain], **limit}


def _route(cluster: str, chosen: dict, **more) -> dict:
    header = {"name": UPSTREAM, "string_match": chosen, "treat_missing_header_as_empty": True, **more}
    return {"match": {"prefix": "/", "headers": [header]}, "route": {"cluster": cluster, "timeout": "0s"}}


def _weirs(plan: Plan, made: Listener) -> list[dict]:
    return [_weir(plan, weir) for weir in made.weirs] if plan.module else []


def _weir(plan: Plan, weir: Weir) -> dict:
    if weir.delivery != "ECDS":
        return {"name": weir.name, "typed_config": _wasm(plan, weir)}
    source = _watch(plan.watched(weir.name))
    return {"name": weir.name, "config_discovery": {"config_source": source, "type_urls": [WASM]}}


def _wasm(plan: Plan, weir: Weir) -> dict:
    code = {"local": {"filename": str(plan.module)}}
    vm = {"vm_id": weir.vm, "runtime": "envoy.wasm.runtime.v8", "code": code}
    if weir.environment:
        vm["environment_variables"] = {"key_values": weir.environment}
    if weir.vm_configuration:
        vm["configuration"] = _text(weir.vm_configuration)
    plugin = {
        "name": weir.plugin,
        "root_id": "weir",
        "failure_policy": plan.failure_policy,
        "configuration": _text(weir.configuration),
        "allow_on_headers_stop_iteration": plan.stops_on_headers,
        "vm_config": vm,
    }
    return {"@type": WASM, "config": plugin}


def _text(value: str) -> dict:
    return {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": value}


def _watch(folder: Path) -> dict:
    source = {"path": str(folder / "resource.json"), "watched_directory": {"path": str(folder)}}
    return {"resource_api_version": "V3", "path_config_source": source}


def _cluster(name: str, plan: Plan, protocol: dict) -> dict:
    limit = {"per_connection_buffer_limit_bytes": plan.buffer_limit} if plan.buffer_limit else {}
    return {
        "name": name,
        "type": "STATIC",
        **limit,
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": HTTP_OPTIONS,
                "explicit_http_config": protocol,
            }
        },
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(plan.upstream_port)}}]}],
        },
    }


def _access_log(path: Path) -> dict:
    kind = "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog"
    log = {"@type": kind, "path": str(path), "log_format": {"json_format": ACCESS}}
    return {"name": "envoy.access_loggers.file", "typed_config": log}


def _filter(name: str, kind: str) -> dict:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"type.googleapis.com/{kind}"}}


def _address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
