"""A gateway in front of somebody's own OpenAI-compatible server instead of the fake provider."""

from pathlib import Path
from urllib.parse import urlsplit

from gateway import Gateway

TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
AUTHORITIES = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
"""Where systems keep the certificates that they trust."""


class Forward(Gateway):
    """As `Gateway`, with the upstream at a base URL such as `http://localhost:11434/v1`."""

    def __init__(self, base_url: str, configuration: str, *, module: Path, port: int):
        super().__init__(0, configuration, module=module, port=port)
        self._target = urlsplit(base_url)

    def document(self) -> dict:
        """The usual bootstrap with this server as its cluster."""
        document = super().document()
        [cluster] = document["static_resources"]["clusters"]
        tls, host = self._target.scheme == "https", self._target.hostname or "localhost"
        address = {"socket_address": {"address": host, "port_value": self._target.port or (443 if tls else 80)}}
        cluster["type"] = "STRICT_DNS"
        cluster["dns_lookup_family"] = "V4_PREFERRED"
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": [{"endpoint": {"address": address}}]}]
        if tls:
            cluster["transport_socket"] = _tls(host)
        manager = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
        [host_routes] = manager["route_config"]["virtual_hosts"]
        rewrite = {"host_rewrite_literal": self._target.netloc, "prefix_rewrite": self._target.path.rstrip("/") + "/"}
        host_routes["routes"] = [
            {"match": {"prefix": "/v1/"}, "route": {"cluster": "provider", "timeout": "0s", **rewrite}}
        ]
        return document


def _tls(host: str) -> dict:
    trusted = next((path for path in AUTHORITIES if Path(path).exists()), AUTHORITIES[0])
    names = [{"san_type": "DNS", "matcher": {"exact": host}}]
    context = {"trusted_ca": {"filename": trusted}, "match_typed_subject_alt_names": names}
    config = {"@type": TLS, "sni": host, "common_tls_context": {"validation_context": context}}
    return {"name": "envoy.transport_sockets.tls", "typed_config": config}
