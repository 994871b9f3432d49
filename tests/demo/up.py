"""Runs Envoy with the module until Ctrl-C: `./just up [BASE_URL]`. Prints what to try and each audit record.

Without a base URL a fake provider answers by repeating the question. With one, such as http://localhost:11434/v1 for
Ollama or http://localhost:8080/v1 for llama.cpp, the requests go there.
"""

import argparse
import contextlib
import os
import shlex
import signal
import socket
import sys
import time
from pathlib import Path

import harness  # noqa: F401
from envoy import EnvoyFailed
from forward import Forward
from gateway import AUDIT, Gateway, module_path
from parrot import parrot
from policies import from_yaml
from samples import INJECTION
from upstream import Upstream

POLICY = Path(__file__).parent / "policy.yaml"
PORT = 10000

FAKE = [
    ("a clean stream", "What is the capital of Mexico?"),
    ("an injected prompt is refused", INJECTION),
    ("a secret in the answer is masked", "Tell me a secret."),
    ("a denied tool call is taken out, its sibling stays", "Use your tools."),
]
REAL = FAKE[:2]


def main() -> int:
    """Starts it, prints the curl lines, waits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("base_url", nargs="?", help="an OpenAI-compatible server to forward to")
    parser.add_argument("--policy", type=Path, default=POLICY, help="policy file (YAML) instead of the demo's own")
    parser.add_argument("--port", type=int, default=PORT, help="where to listen; another is picked if it is taken")
    parser.add_argument("--model", default="parrot", help="model name in the printed lines")
    options = parser.parse_args()
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    os.environ["NO_PROXY"] = "127.0.0.1"
    module = module_path()
    if not module.exists():
        print(f"the module is missing: {module} (run ./just build)", file=sys.stderr)
        return 2
    configuration, port = from_yaml(options.policy), free_or_any(options.port)
    with contextlib.ExitStack() as running, contextlib.suppress(KeyboardInterrupt):
        if options.base_url:
            gateway = Forward(options.base_url, configuration, module=module, port=port)
        else:
            upstream = running.enter_context(Upstream(default=parrot))
            gateway = Gateway(upstream.port, configuration, module=module, port=port)
        running.enter_context(gateway)
        print(f"Weir listens on {gateway.url}, policy {options.policy}; Ctrl-C ends it. Try:\n")
        for title, prompt in REAL if options.base_url else FAKE:
            print(f"# {title}\n{curl(gateway.url, options.model, prompt)}\n", flush=True)
        follow(gateway)
    return 0


def curl(url: str, model: str, prompt: str) -> str:
    """A line for the shell that asks this."""
    body = f'{{"model":"{model}","stream":true,"messages":[{{"role":"user","content":"{prompt}"}}]}}'
    return f"curl -sN {url}/v1/chat/completions -H 'content-type: application/json' -d {shlex.quote(body)}"


def follow(gateway: Gateway) -> None:
    """Prints the audit records until Envoy or the reader ends it."""
    with (gateway.folder / "envoy.log").open(errors="replace") as log:
        while gateway.running():
            line = log.readline()
            if AUDIT in line:
                print(line.partition(AUDIT)[2], end="", flush=True)
            elif not line:
                time.sleep(0.2)


def free_or_any(port: int) -> int:
    """The port if nobody listens there, else 0: the kernel picks one."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


if __name__ == "__main__":
    try:
        sys.exit(main())
    except EnvoyFailed as error:
        print(error, file=sys.stderr)
        sys.exit(2)
