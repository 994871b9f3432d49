"""Flux in the lab: a Git server on loopback, and the two controllers that bring what it holds into the cluster."""

import http.server
import os
import subprocess
import threading
from pathlib import Path

from lab import Lab, free_port

BACKEND = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip() + "/git-http-backend"


class GitServer:
    """Serves the repositories of a folder over HTTP, to read; `url` names one."""

    def __init__(self, folder: Path):
        handler = type("Handler", (_Handler,), {"folder": folder})
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)

    def __enter__(self) -> "GitServer":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()

    def url(self, name: str) -> str:
        """The address of a repository."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/{name}"


class _Handler(http.server.BaseHTTPRequestHandler):
    folder: Path

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        self._serve(self.rfile.read(int(self.headers.get("content-length", 0))))

    def _serve(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        told = {
            "GIT_PROJECT_ROOT": str(self.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("git-protocol", ""),
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("content-type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("content-encoding", ""),
        }
        done = subprocess.run([BACKEND], input=body, env={**os.environ, **told}, capture_output=True)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split(" ")[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_) -> None:
        """Says nothing."""


def start(lab: Lab) -> None:
    """Starts both controllers; the lab stops them."""
    storage = free_port()
    settings = {**os.environ, "KUBECONFIG": str(lab.folder / "kubeconfig"), "RUNTIME_NAMESPACE": "flux-system"}
    for name, more in {
        "source-controller": [
            f"--storage-path={lab.folder}/artifacts",
            f"--storage-addr=127.0.0.1:{storage}",
            f"--storage-adv-addr=127.0.0.1:{storage}",
        ],
        "kustomize-controller": ["--no-cross-namespace-refs"],
    }.items():
        (lab.folder / "artifacts").mkdir(exist_ok=True)
        common = ["--events-addr=", f"--metrics-addr=127.0.0.1:{free_port()}", f"--health-addr=127.0.0.1:{free_port()}"]
        lab.spawn(name, [lab.tools / "bin" / name, *common, "--watch-all-namespaces", *more], env=settings)
