"""Envoy configuration for the tests, as Python dictionaries that become JSON.

One listener on a port that the kernel picks and one upstream, reached by HTTP/1 or, for requests with the header
`x-upstream: h2`, by HTTP/2. WebSockets are allowed, so that the module alone decides about them. The module is an HTTP filter given inline, or by
a file that Envoy watches (ECDS for the filter, LDS for the whole listener), for tests that replace a running policy.
"""

from dataclasses import dataclass
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
class Plan:
    """What to run. `module` None means a proxy without the filter. `delivery`: Inline, ECDS or LDS.
    `port` 0 lets the kernel pick one. `stops_on_headers`: the filter may hold heads, as `holdHeaders` needs.
    `buffer_limit`: bytes that Envoy buffers for each connection, its own default where 0."""

    folder: Path
    upstream_port: int
    module: Path | None = None
    configuration: str = ""
    delivery: str = "Inline"
    port: int = 0
    stops_on_headers: bool = False
    buffer_limit: int = 0

    @property
    def watched(self) -> Path:
        """The folder in which a rename is an update."""
        return self.folder / "watched"


def bootstrap(plan: Plan) -> dict:
    """The whole bootstrap document."""
    resources = {"clusters": [_cluster("provider", plan, H1), _cluster("provider-h2", plan, H2)]}
    dynamic = {}
    if plan.delivery == "LDS":
        dynamic = {"dynamic_resources": {"lds_config": _watch(plan)}}
    else:
        resources["listeners"] = [listener(plan)]
    return {
        "node": {"id": "weir-e2e", "cluster": "weir-e2e"},
        "admin": {"address": _address(0)},
        "static_resources": resources,
        **dynamic,
    }


def update_document(plan: Plan, version: int) -> dict:
    """What the watched file holds: the filter for ECDS, the listener for LDS."""
    if plan.delivery == "LDS":
        kind = "type.googleapis.com/envoy.config.listener.v3.Listener"
        resource = {"@type": kind, **listener(plan)}
    else:
        kind = "type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig"
        resource = {"@type": kind, "name": "weir", "typed_config": _wasm(plan)}
    return {"version_info": str(version), "resources": [resource]}


def listener(plan: Plan) -> dict:
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
        "http_filters": [*_weir(plan), _filter("router", "envoy.extensions.filters.http.router.v3.Router")],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    limit = {"per_connection_buffer_limit_bytes": plan.buffer_limit} if plan.buffer_limit else {}
    return {"name": "ingress", "address": _address(plan.port), "filter_chains": [chain], **limit}


def _route(cluster: str, chosen: dict, **more) -> dict:
    header = {"name": UPSTREAM, "string_match": chosen, "treat_missing_header_as_empty": True, **more}
    return {"match": {"prefix": "/", "headers": [header]}, "route": {"cluster": cluster, "timeout": "0s"}}


def _weir(plan: Plan) -> list[dict]:
    if plan.module is None:
        return []
    if plan.delivery != "ECDS":
        return [{"name": "weir", "typed_config": _wasm(plan)}]
    return [{"name": "weir", "config_discovery": {"config_source": _watch(plan), "type_urls": [WASM]}}]


def _wasm(plan: Plan) -> dict:
    value = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": plan.configuration}
    code = {"local": {"filename": str(plan.module)}}
    plugin = {
        "name": "weir",
        "root_id": "weir",
        "failure_policy": "FAIL_RELOAD",
        "configuration": value,
        "allow_on_headers_stop_iteration": plan.stops_on_headers,
        "vm_config": {"vm_id": "weir", "runtime": "envoy.wasm.runtime.v8", "code": code},
    }
    return {"@type": WASM, "config": plugin}


def _watch(plan: Plan) -> dict:
    source = {"path": str(plan.watched / "resource.json"), "watched_directory": {"path": str(plan.watched)}}
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
