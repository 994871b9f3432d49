"""What is compared: the same Envoy with another filter in its chain, or none."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import yaml
from envoy import Envoy, resident

HERE = Path(__file__).resolve().parent
PROJECT = HERE.parents[1]

MANAGER = "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
HTTP = "type.googleapis.com/envoy.extensions.filters.http"
OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"

USER_RULES = 1000
"""How many rules of a user's own one variant adds."""


@dataclass(frozen=True)
class Built:
    """Where the programs and modules are."""

    programs: Path
    modules: Path
    weir: Path


@dataclass
class Variant:
    """A running proxy, and the process beside it where the filter needs one."""

    name: str
    envoy: Envoy
    beside: subprocess.Popen | None = None
    started: float = 0.0

    def cpu(self) -> float:
        """Seconds of CPU time of all threads so far."""
        return sum(_cpu(pid) for pid in self._processes())

    def memory(self) -> int:
        """Resident bytes."""
        return sum(resident(pid) for pid in self._processes())

    def events(self) -> dict[str, int]:
        """Weir's own counts so far: events, those that waited, and microseconds that they waited, all together."""
        # The first question has the proxy bring its histograms together.
        told = [self.envoy.admin("/stats/prometheus?filter=weir_(events|answer_held)") for _ in range(2)][-1]
        lines = [line.rpartition(" ") for line in told.splitlines() if not line.startswith("#")]
        ends = {"events": "weir_events_total", "held": "weir_events_held_total", "micros": "weir_answer_held_microseconds_sum"}
        return {
            key: sum(int(float(value)) for name, _, value in lines if name.partition("{")[0].endswith(end))
            for key, end in ends.items()
        }

    def stop(self) -> None:
        """Ends what was started."""
        self.envoy.stop()
        if self.beside:
            self.beside.terminate()
            self.beside.wait()

    def _processes(self) -> list[int]:
        return [self.envoy.pid, *([self.beside.pid] if self.beside else [])]


def _cpu(pid: int) -> float:
    """The kernel's CPU-time clock of a process (clock_getcpuclockid(3)), in nanoseconds where /proc counts ticks."""
    return time.clock_gettime((~pid << 3) | 2)


def policy(**spec) -> dict:
    """The default policy, with other sections."""
    document = yaml.safe_load((PROJECT / "rules/default-policy.yaml").read_text())
    document["spec"] |= spec
    return document


def holding() -> list[str]:
    """The built-in rules of exposure Nothing, which hold text from its first character on."""
    files = (PROJECT / "rules/packs").glob("*/*.yaml")
    rules = (yaml.safe_load(path.read_text()) for path in sorted(files))
    return [rule["id"] for rule in rules if rule.get("exposure") == "Nothing"]


def unheld() -> dict:
    """The default policy, with these rules only counted."""
    document = policy()
    for pack in document["spec"]["packs"]:
        mine = [rule for rule in holding() if rule.startswith(f"{pack['name']}-") and pack["action"] == "Mask"]
        pack["overrides"] = [{"rule": rule, "action": "Audit"} for rule in mine]
    return document


def policies() -> dict[str, dict]:
    """The policies of the variants, by name."""
    words = ["amber", "basalt", "cobalt", "dahlia", "ember", "fjord", "garnet", "harbor", "indigo", "juniper"]
    names = [f"project {a} {b} {c}" for a in words for b in words for c in words]
    own = [
        {
            "id": f"own-{i}",
            "description": "A name that must not leave",
            "keywords": [name],
            "channels": ["request.user", "response.text"],
            "action": "Mask",
            "maxLength": 64,
            "examples": {"match": [f"[[{name}]]"], "clean": ["nothing"]},
        }
        for i, name in enumerate(names[:USER_RULES])
    ]
    return {"weir": policy(), "weir-open": unheld(), "weir-1000": policy(rules=own), "weir-shadow": policy(mode="Shadow")}


def start(name: str, upstream: int, built: Built, folder: Path) -> Variant:
    """Starts a variant, whose policy is in `folder` where it has one; returns when it serves."""
    beside, cluster, filters = None, [], []
    document = folder / f"{name}.json"
    began = time.monotonic()
    if name in ("noop", "reader"):
        filters = [_wasm(built.modules, "read" if name == "reader" else "nothing")]
    elif name.startswith("weir"):
        filters = [_wasm(built.weir, document.read_text())]
    elif name == "lua":
        source = {"inline_string": (HERE / "filter.lua").read_text()}
        filters = [_filter("lua", "lua.v3.Lua", default_source_code=source)]
    elif name.startswith("extproc"):
        rules = name == "extproc-rules"
        arguments = ["rules", str(folder / "weir.json")] if rules else ["idle"]
        beside = subprocess.Popen([built.programs / "extproc", *arguments], stdout=subprocess.PIPE, text=True)
        cluster = [_cluster("extproc", int(beside.stdout.readline()), {"http2_protocol_options": {}})]
        body = "FULL_DUPLEX_STREAMED" if rules else "STREAMED"
        trailers = "SEND" if rules else "SKIP"
        mode = {"request_header_mode": "SEND", "response_header_mode": "SEND"}
        mode |= {"request_body_mode": body, "response_body_mode": body}
        mode |= {"request_trailer_mode": trailers, "response_trailer_mode": trailers}
        service = {"envoy_grpc": {"cluster_name": "extproc"}}
        filters = [_filter("ext_proc", "ext_proc.v3.ExternalProcessor", grpc_service=service, processing_mode=mode)]
    envoy = Envoy()
    document = _bootstrap(filters, [_cluster("provider", upstream, {"http_protocol_options": {}}), *cluster])
    # As Istio's proxies log.
    envoy.run(document, wasm_log="warning")
    return Variant(name, envoy, beside, time.monotonic() - began)


def _bootstrap(filters: list[dict], clusters: list[dict]) -> dict:
    """The same for all variants but for the filters and their clusters; requests of any size are let in."""
    route = {"match": {"prefix": "/"}, "route": {"cluster": "provider", "timeout": "0s"}}
    limit = {"request_body_buffer_limit": 64 << 20}
    manager = {
        "@type": MANAGER,
        "stat_prefix": "ingress",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route], **limit}]},
        "http_filters": [*filters, _filter("router", "router.v3.Router")],
    }
    chain = {"filters": [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]}
    listener = {"name": "ingress", "address": _address(0), "filter_chains": [chain]}
    # Histograms are brought together when they are asked for.
    flush = {"stats_flush_on_admin": True}
    return {**flush, "admin": {"address": _address(0)}, "static_resources": {"listeners": [listener], "clusters": clusters}}


def _wasm(module: Path, configuration: str) -> dict:
    code = {"local": {"filename": str(module)}}
    text = {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": configuration}
    vm = {"vm_id": module.stem, "runtime": "envoy.wasm.runtime.v8", "code": code}
    config = {"name": "weir", "root_id": "weir", "failure_policy": "FAIL_RELOAD", "configuration": text}
    return _filter("wasm", "wasm.v3.Wasm", config={**config, "vm_config": vm})


def _filter(name: str, kind: str, **fields) -> dict:
    return {"name": f"envoy.filters.http.{name}", "typed_config": {"@type": f"{HTTP}.{kind}", **fields}}


def _cluster(name: str, port: int, protocol: dict) -> dict:
    kind = f"type.googleapis.com/{OPTIONS}"
    endpoints = [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}]
    # Otherwise thousands of idle connections of each variant would stay open at the provider.
    idle = {"common_http_protocol_options": {"idle_timeout": "3s"}}
    limit = {"thresholds": [{"max_connections": 100_000, "max_requests": 100_000, "max_pending_requests": 100_000}]}
    return {
        "name": name,
        "type": "STATIC",
        "circuit_breakers": limit,
        "typed_extension_protocol_options": {OPTIONS: {"@type": kind, **idle, "explicit_http_config": protocol}},
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def _address(port: int) -> dict:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}
