"""What the tests share: one fake provider, the module, and one proxy for each policy, kept for the whole run."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import Gateway, module_path
from providers import PROVIDERS
from upstream import Upstream
from wire import WIRES, Wire

os.environ["NO_PROXY"] = "127.0.0.1"


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """The fake provider."""
    with Upstream() as running:
        yield running


@pytest.fixture(scope="session")
def module() -> Path:
    """The built module."""
    path = module_path()
    if not path.exists():
        pytest.fail(f"the module is missing: {path} (run ./just build, or set WEIR_MODULE)", pytrace=False)
    return path


@pytest.fixture(scope="session")
def gateway(upstream: Upstream, module: Path) -> Iterator[Callable[[str], Gateway]]:
    """Gives the running proxy for a policy, and starts it at the first request."""
    running: dict[str, Gateway] = {}

    def get(configuration: str) -> Gateway:
        if configuration not in running:
            running[configuration] = Gateway(upstream.port, configuration, module=module).start()
        return running[configuration]

    yield get
    for envoy in running.values():
        envoy.stop()


@pytest.fixture
def fresh(upstream: Upstream, module: Path) -> Iterator[Callable[..., Gateway]]:
    """Starts a proxy for one test alone, with any fields of `Plan`, its own module too; `port` is the provider's."""
    started: list[Gateway] = []

    def start(configuration: str, *, port: int = 0, **plan) -> Gateway:
        envoy = Gateway(port or upstream.port, configuration, **{"module": module, **plan})
        started.append(envoy)
        return envoy.start()

    yield start
    for envoy in started:
        envoy.stop()


@pytest.fixture(params=PROVIDERS, ids=lambda provider: provider.name)
def provider(request: pytest.FixtureRequest):
    """Each provider in turn."""
    return request.param


@pytest.fixture(params=[False, True], ids=["whole", "stream"])
def stream(request: pytest.FixtureRequest) -> bool:
    """The answer as one document, and as events."""
    return request.param


@pytest.fixture(params=WIRES, ids=lambda wire: wire.name)
def wire(request: pytest.FixtureRequest) -> Wire:
    """Each pair of HTTP versions in turn."""
    return request.param
