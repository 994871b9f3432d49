"""Envoy Gateway on its own: it reads resources from a folder, and Envoy is its child. Where it relies on being in
Kubernetes (places of certificates, names of services), a file system of its own stands in."""

import base64
import subprocess
from pathlib import Path

import yaml

from envoy import envoy_binary, envoy_version, wait_for
from lab import UP, free_port, listens, stop, tools

NAMESPACE = "envoy-gateway-system"

SETTINGS = {
    "apiVersion": "gateway.envoyproxy.io/v1alpha1",
    "kind": "EnvoyGateway",
    "gateway": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    "logging": {"level": {"default": "info"}},
    "extensionApis": {"enableBackend": True},
}

ROOT = """\
mount -t tmpfs none "$1"
for entry in /*; do
    if [[ -L $entry ]]; then
        cp -P "$entry" "$1"
    elif [[ -d $entry ]]; then
        mkdir "$1$entry"
        mount --rbind "$entry" "$1$entry"
    fi
done
mkdir -p "$1/certs"
cp "$2"/* "$1/certs"
mount --bind "$3" "$1/etc/hosts"
exec chroot "$1" "${@:4}"
"""
"""Runs a command in the machine's file system with a folder `/certs` and another `/etc/hosts`."""


class EnvoyGateway:
    """Use as a context manager, in a network of its own: it listens on fixed ports of every address."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._processes: list[subprocess.Popen] = []
        self.registry = free_port()

    def __enter__(self) -> "EnvoyGateway":
        try:
            command = [tools() / "bin/crane", "registry", "serve", "--address", f"127.0.0.1:{self.registry}"]
            self._spawn("registry", command)
            wait_for("the registry", lambda: listens("127.0.0.1", self.registry), UP)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            stop(process)

    def push(self, layout: Path) -> str:
        """Pushes an image layout; returns its URL."""
        target = f"127.0.0.1:{self.registry}/weir/weir:0.0.0"
        command = [tools() / "bin/crane", "push", "--insecure", layout, target]
        subprocess.run(command, check=True, capture_output=True, timeout=UP)
        return target

    def start(self, documents: list[dict]) -> None:
        """Runs it with these resources."""
        config, data, state, run = (self.folder / name for name in ("config", "data", "state", "run"))
        binary = data / "envoy-versions" / self._version() / "bin/envoy"
        binary.parent.mkdir(parents=True)
        binary.symlink_to(envoy_binary())
        command = [tools() / "bin/envoy-gateway", "certgen", "--local", "--config-home", config]
        subprocess.run(command, check=True, capture_output=True, timeout=UP)
        certificates = config / "certs/envoy"
        (self.folder / "resources").mkdir()
        (self.folder / "resources/client.yaml").write_text(yaml.safe_dump(self._client(certificates)))
        self.apply(documents)
        host = {"configHome": str(config), "dataHome": str(data), "stateHome": str(state), "runtimeDir": str(run)}
        resource = {"type": "File", "file": {"paths": [str(self.folder / "resources")]}}
        custom = {"resource": resource, "infrastructure": {"type": "Host", "host": host}}
        settings = {**SETTINGS, "provider": {"type": "Custom", "custom": custom}}
        (self.folder / "settings.yaml").write_text(yaml.safe_dump(settings))
        (self.folder / "hosts").write_text(f"127.0.0.1 localhost envoy-gateway.{NAMESPACE}.svc.cluster.local\n")
        (self.folder / "root").mkdir()
        serve = [tools() / "bin/envoy-gateway", "server", "--config-path", self.folder / "settings.yaml"]
        inside = [self.folder / "root", config / "certs/envoy-gateway", self.folder / "hosts", *serve]
        self._spawn("envoy-gateway", ["unshare", "--mount", "bash", "-euc", ROOT, "root", *inside])

    def apply(self, documents: list[dict]) -> None:
        """Puts resources in place of those that are there; watched."""
        beside = self.folder / "next.yaml"
        beside.write_text(yaml.safe_dump_all(documents))
        beside.rename(self.folder / "resources/all.yaml")

    def proxy(self, name: str, namespace: str, drain: int) -> dict:
        """The proxy's own resource: Envoy as a process, in which a listener that has changed drains for so many seconds."""
        return {
            "apiVersion": "gateway.envoyproxy.io/v1alpha1",
            "kind": "EnvoyProxy",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {
                "provider": {"type": "Host", "host": {"envoyVersion": self._version()}},
                "shutdown": {"drainTimeout": f"{drain}s"},
            },
        }

    def listens(self, port: int) -> bool:
        """Whether its Envoy takes connections there; with what it wrote if it has ended."""
        if self._processes[-1].poll() is not None:
            raise RuntimeError(f"Envoy Gateway ended: {self.log()[-2000:]}")
        return listens("127.0.0.1", port)

    def log(self) -> str:
        """What it and its Envoy wrote so far."""
        return (self.folder / "envoy-gateway.log").read_text(errors="replace")

    @staticmethod
    def _version() -> str:
        return ".".join(map(str, (*envoy_version(), 0)))

    @staticmethod
    def _client(certificates: Path) -> dict:
        """The Secret by which the proxy speaks to the control plane, which Kubernetes would have."""
        data = {file.name: base64.b64encode(file.read_bytes()).decode() for file in certificates.iterdir()}
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "envoy", "namespace": NAMESPACE},
            "type": "kubernetes.io/tls",
            "data": {name: data[name] for name in ("ca.crt", "tls.crt", "tls.key")},
        }

    def _spawn(self, name: str, command: list) -> None:
        with (self.folder / f"{name}.log").open("wb") as output:
            process = subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=subprocess.STDOUT, cwd=self.folder
            )
        self._processes.append(process)
