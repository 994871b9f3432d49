"""A real control plane on loopback: etcd, kube-apiserver, istiod, an image registry, and a pilot-agent with Envoy for each
proxy. No containers: what a kubelet and controllers would do (pods, endpoints, service accounts) the lab does itself.

The proxies share the machine's loopback, each with an address of its own, and see nothing else of the network.
"""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from envoy import envoy_binary, wait_for

UP = 90.0
"""Longest time for a part of the control plane to come up, in seconds; a busy machine needs ten times what an idle one
does."""

TOKEN = "lab"

MESH = """\
defaultConfig:
  discoveryAddress: 127.0.0.1:{discovery}
defaultProviders: {{}}
enablePrometheusMerge: false
outboundTrafficPolicy: {{mode: REGISTRY_ONLY}}
"""
"""No telemetry provider: upstream Envoy lacks the filters that Istio's own build has."""

KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: lab
clusters: [{{name: lab, cluster: {{server: "https://127.0.0.1:{port}", insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: {token}}}}}]
contexts: [{{name: lab, context: {{cluster: lab, user: admin}}}}]
"""


def tools() -> Path:
    """The folder that `tools.sh` filled."""
    cache = os.environ.get("WEIR_MESH_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "weir-mesh"
    return Path(cache)


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def listens(host: str, port: int) -> bool:
    """Whether something takes connections there."""
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0


def http_ok(url: str) -> bool:
    """Whether a page answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=1) as reply:
            return reply.status == 200
    except OSError:
        return False


@dataclass
class Proxy:
    """A pilot-agent and its Envoy."""

    admin: int
    """The port of Envoy's admin page."""
    folder: Path

    def log(self) -> str:
        """What agent and Envoy wrote so far."""
        return (self.folder / "log").read_text(errors="replace")


class Lab:
    """Starts everything in a folder; use as a context manager. `kubectl` and `apply` talk to the API server."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.tools = tools()
        self.registry = free_port()
        self._etcd, self._kube, self._discovery, self._secure = (free_port() for _ in range(4))
        self._ready = free_port()
        self.istiod = free_port()
        """The port of istiod's metrics."""
        self._processes: list[subprocess.Popen] = []
        self.proxies: dict[str, Proxy] = {}

    def __enter__(self) -> "Lab":
        try:
            self._start_etcd()
            self._start_kube()
            self._start_registry()
            self._start_istiod()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # In this order: an API server whose store is gone hangs.
        for process in reversed(self._processes):
            stop(process)

    def kubectl(self, *arguments: str, given: str = "", check: bool = True) -> subprocess.CompletedProcess:
        """Runs kubectl; `given` is its input."""
        command = [self.tools / "bin/kubectl", "--kubeconfig", self.folder / "kubeconfig", *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=UP)
        if check and done.returncode:
            raise RuntimeError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done

    def apply(self, manifests: str, check: bool = True) -> subprocess.CompletedProcess:
        """Applies manifests on the side of the server, as the README does."""
        return self._apply(manifests, check)

    def try_out(self, manifests: str, check: bool = True) -> subprocess.CompletedProcess:
        """Whether the API server takes manifests, each field of which it must know; nothing is stored."""
        return self._apply(manifests, check, "--dry-run=server", "--validate=strict")

    def _apply(self, manifests: str, check: bool, *more: str) -> subprocess.CompletedProcess:
        return self.kubectl("apply", "--server-side", "--force-conflicts", *more, "-f", "-", given=manifests, check=check)

    def namespace(self, name: str, **labels: str) -> None:
        """Makes a namespace."""
        self.apply(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}))

    def log(self, name: str) -> str:
        """What a part wrote so far."""
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def proxy(
        self,
        name: str,
        role: str,
        namespace: str,
        address: str,
        labels: dict[str, str],
        account: str = "default",
        bootstrap: str = "",
    ) -> Proxy:
        """Starts a proxy: `router` is a gateway, `sidecar` beside an application; both without capturing traffic. Its first
        configuration is joined with `bootstrap`, as the injected template does with a ConfigMap."""
        folder = self.folder / name
        secrets = folder / "var/run/secrets"
        (secrets / "tokens").mkdir(parents=True)
        (secrets / "istio").mkdir()
        self._service_account(namespace, account)
        token = self.kubectl("-n", namespace, "create", "token", account, "--audience", "istio-ca", "--duration", "24h")
        (secrets / "tokens/istio-token").write_text(token.stdout)
        (secrets / "istio/root-cert.pem").write_text(self._root_certificate(namespace))
        admin, status = free_port(), free_port()
        settings = {
            "POD_NAME": name,
            "POD_NAMESPACE": namespace,
            "INSTANCE_IP": address,
            "SERVICE_ACCOUNT": account,
            "ISTIO_META_CLUSTER_ID": "Kubernetes",
            "ISTIO_META_MESH_ID": "lab",
            "ISTIO_METAJSON_LABELS": json.dumps(labels),
            "ISTIO_META_INTERCEPTION_MODE": "NONE",
            "ENVOY_STATUS_PORT": str(free_port()),
            "ENVOY_PROMETHEUS_PORT": str(free_port()),
            "WASM_INSECURE_REGISTRIES": f"127.0.0.1:{self.registry}",
            "PROXY_CONFIG": json.dumps(
                {
                    "binaryPath": envoy_binary(),
                    "configPath": str(folder / "etc"),
                    "discoveryAddress": f"127.0.0.1:{self._secure}",
                    "proxyBootstrapTemplatePath": str(self.tools / "istio/bootstrap.json"),
                    "proxyAdminPort": admin,
                    "statusPort": status,
                    "concurrency": 1,
                    "drainDuration": "3s",
                    "terminationDrainDuration": "1s",
                }
            ),
        }
        if bootstrap:
            (folder / "custom_bootstrap.json").write_text(bootstrap)
            settings["ISTIO_BOOTSTRAP_OVERRIDE"] = str(folder / "custom_bootstrap.json")
        # The agent keeps modules in a folder of the machine's, so each has one of its own.
        command = [
            "unshare",
            "--mount",
            "bash",
            "-c",
            'mount -t tmpfs none /var/lib && mkdir -p /var/lib/istio/data && exec "$@"',
            "agent",
            str(self.tools / "bin/pilot-agent"),
            "proxy",
            role,
            "--domain",
            f"{namespace}.svc.cluster.local",
            "--proxyLogLevel=warning",
            "--log_output_level=default:info,wasm:debug",
        ]
        with (folder / "log").open("wb") as output:
            process = subprocess.Popen(
                command, cwd=folder, env={**os.environ, **settings}, stdout=output, stderr=subprocess.STDOUT
            )
        self._processes.append(process)
        proxy = Proxy(admin, folder)
        self.proxies[name] = proxy
        self._wait(name, process, lambda: http_ok(f"http://127.0.0.1:{status}/healthz/ready"), proxy.log)
        return proxy

    def push(self, layout: Path, tag: str, repository: str = "weir/weir") -> str:
        """Pushes an image layout into the lab's registry; returns its URL."""
        target = f"127.0.0.1:{self.registry}/{repository}:{tag}"
        command = [self.tools / "bin/crane", "push", "--insecure", layout, target]
        subprocess.run(command, check=True, capture_output=True, timeout=UP)
        return f"oci://{target}"

    def spawn(self, name: str, command: list, **options) -> subprocess.Popen:
        """Starts a part; it ends with the lab."""
        with (self.folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, cwd=self.folder, **options
            )
        self._processes.append(process)
        return process

    def _wait(self, name: str, process: subprocess.Popen, probe: Callable[[], bool], log: Callable[[], str]) -> None:
        def ready() -> bool:
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended: {log()[-2000:]}")
            return probe()

        try:
            wait_for(name, ready, UP)
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {log()[-2000:]}") from None

    def _start_etcd(self) -> None:
        client, peer = f"http://127.0.0.1:{self._etcd}", f"http://127.0.0.1:{free_port()}"
        command = [self.tools / "bin/etcd", "--data-dir", self.folder / "etcd", "--log-level", "warn"]
        command += ["--listen-client-urls", client, "--advertise-client-urls", client]
        command += ["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer]
        command += ["--initial-cluster", f"default={peer}", "--unsafe-no-fsync"]
        process = self.spawn("etcd", command)
        self._wait("etcd", process, lambda: http_ok(f"{client}/health"), lambda: self.log("etcd"))

    def _start_kube(self) -> None:
        key, public = self.folder / "sa.key", self.folder / "sa.pub"
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
        (self.folder / "tokens.csv").write_text(f'{TOKEN},admin,admin,"system:masters"\n')
        (self.folder / "kubeconfig").write_text(KUBECONFIG.format(port=self._kube, token=TOKEN))
        command = [self.tools / "bin/kube-apiserver", "--etcd-servers", f"http://127.0.0.1:{self._etcd}"]
        command += ["--bind-address", "127.0.0.1", "--secure-port", self._kube, "--advertise-address", "127.0.0.1"]
        command += ["--endpoint-reconciler-type", "none", "--cert-dir", self.folder / "certificates"]
        command += ["--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", public]
        command += ["--service-account-signing-key-file", key, "--token-auth-file", self.folder / "tokens.csv"]
        command += ["--authorization-mode", "AlwaysAllow", "--service-cluster-ip-range", "10.96.0.0/16"]
        command += ["--disable-admission-plugins", "ServiceAccount", "--profiling=false"]
        process = self.spawn("kube-apiserver", command)

        def ready() -> bool:
            return self.kubectl("get", "--raw", "/readyz", check=False).returncode == 0

        self._wait("kube-apiserver", process, ready, lambda: self.log("kube-apiserver"))
        for file in ("crds.yaml", "gateway-api.yaml", "gitops.yaml", "monitoring.yaml"):
            self.apply((self.tools / "istio" / file).read_text())
        crds = [f"crd/{name}.extensions.istio.io" for name in ("wasmplugins", "trafficextensions")]
        self.kubectl("wait", "--for=condition=established", "--timeout=60s", *crds)
        self.kubectl("create", "namespace", "istio-system")

    def _start_registry(self) -> None:
        command = [self.tools / "bin/crane", "registry", "serve", "--address", f"127.0.0.1:{self.registry}"]
        process = self.spawn("registry", command)
        self._wait("registry", process, lambda: listens("127.0.0.1", self.registry), lambda: self.log("registry"))

    def _start_istiod(self) -> None:
        (self.folder / "mesh.yaml").write_text(MESH.format(discovery=self._discovery))
        command = [self.tools / "bin/pilot-discovery", "discovery", "--kubeconfig", self.folder / "kubeconfig"]
        command += ["--meshConfig", self.folder / "mesh.yaml", "--grpcAddr", f"127.0.0.1:{self._discovery}"]
        command += ["--secureGRPCAddr", f"127.0.0.1:{self._secure}", "--httpAddr", f"127.0.0.1:{self._ready}"]
        command += ["--httpsAddr", f"127.0.0.1:{free_port()}", "--monitoringAddr", f"127.0.0.1:{self.istiod}"]
        command += ["--ctrlz_port", "0"]
        # Two filters of Istio's own proxy that upstream Envoy does not have.
        settings = {"PILOT_ENABLE_ALPN_FILTER": "false", "PILOT_ENABLE_METADATA_EXCHANGE": "false"}
        settings |= {"POD_NAMESPACE": "istio-system", "POD_NAME": "istiod", "CLUSTER_ID": "Kubernetes", "REVISION": "default"}
        process = self.spawn("istiod", command, env={**os.environ, **settings})
        self._wait("istiod", process, lambda: http_ok(f"http://127.0.0.1:{self._ready}/ready"), lambda: self.log("istiod"))

    def _service_account(self, namespace: str, name: str) -> None:
        self.apply(json.dumps({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}}))

    def _root_certificate(self, namespace: str) -> str:
        def ask() -> str:
            path = "jsonpath={.data.root-cert\\.pem}"
            return self.kubectl("-n", namespace, "get", "cm", "istio-ca-root-cert", "-o", path, check=False).stdout

        return wait_for(f"the root certificate in {namespace}", ask, UP)


def stop(process: subprocess.Popen) -> None:
    """Ends a process, by force if it must."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 15
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
        process.wait()
