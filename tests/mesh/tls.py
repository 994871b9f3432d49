"""A certificate authority of the lab's own, for the provider's end."""

import ssl
import subprocess
from pathlib import Path


class Authority:
    """Signs certificates; `certificate` is its own, as a file."""

    def __init__(self, folder: Path):
        self._folder = folder
        self.certificate = folder / "ca.crt"
        subject = ["-subj", "/CN=lab", "-days", "2"]
        self._openssl("req", "-x509", *self._key("ca"), *subject, "-out", self.certificate)

    def server(self, *hosts: str) -> ssl.SSLContext:
        """A server's end of TLS under these names."""
        names = ",".join(f"DNS:{host}" for host in hosts)
        signed = ["-CA", self.certificate, "-CAkey", self._folder / "ca.key", "-addext", f"subjectAltName={names}"]
        certificate = self._folder / "server.crt"
        self._openssl("req", "-x509", *self._key("server"), "-subj", f"/CN={hosts[0]}", "-days", "2", *signed, "-out", certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, self._folder / "server.key")
        return context

    def _key(self, name: str) -> list:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self._folder / f"{name}.key"]

    @staticmethod
    def _openssl(*arguments) -> None:
        subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)
