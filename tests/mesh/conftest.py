"""What the mesh's tests share: one control plane, one provider that speaks TLS, and the module in the lab's registry."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PINNED = re.compile(r"[a-z_]+=v[^$ ]+")
sys.path[:0] = [str(ROOT / "tests/e2e"), str(ROOT / "tests/tools")]

from envoy import envoy_version, wait_for  # noqa: E402
from gateway import module_path  # noqa: E402
from image import pack  # noqa: E402
from lab import Lab  # noqa: E402
from manifests import Image  # noqa: E402
from tls import Authority  # noqa: E402
from upstream import Upstream  # noqa: E402


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--result FILE` writes what ran, when and with what; `--picture FILE` draws the dashboard."""
    parser.addoption("--result", type=Path)
    parser.addoption("--picture", type=Path)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """How long the timed steps took, and the dated result for `results.md`."""
    reports = [r for kind in ("passed", "failed", "skipped") for r in terminalreporter.stats.get(kind, [])]
    timed = [f"- {name}: {value:.1f} s" for r in reports for name, value in r.user_properties if name != "seconds"]
    for line in timed:
        terminalreporter.write_line(line)
    if not (path := config.getoption("--result")):
        return
    versions = dict(line.split("=") for line in (HERE / "tools.sh").read_text().splitlines() if PINNED.fullmatch(line))
    rows = [f"- {name.replace('_', ' ')} {version}" for name, version in versions.items()]
    changes = [float(value) for r in reports for name, value in r.user_properties if name == "seconds"]
    took = f"A policy was in force {min(changes):.1f} to {max(changes):.1f} s after kubectl was started." if changes else ""
    counts = ", ".join(f"{len(terminalreporter.stats.get(kind, []))} {kind}" for kind in ("passed", "failed", "skipped"))
    text = [f"`./just mesh`, {date.today()}, Envoy {'.'.join(map(str, envoy_version()))}: {counts}. {took}", "", *rows, ""]
    text += ["From the start of a command until the first request that it is for:", "", *timed, ""] if timed else []
    for report in reports:
        name = report.nodeid.removeprefix("tests/mesh/")
        text.append(f"- {report.outcome}: {name}")
    path.write_text("\n".join(text) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Everything here needs the tools; without them nothing is claimed to have run."""
    check = subprocess.run([HERE / "tools.sh", "--check"], capture_output=True, text=True)
    if check.returncode:
        pytest.exit(check.stdout.strip(), returncode=1)


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The control plane."""
    with Lab(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the provider's certificate."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def provider(authority: Authority) -> Iterator[Upstream]:
    """The provider, under its real names, behind TLS."""
    with Upstream(tls=authority.server("api.openai.com", "api.anthropic.com")) as running:
        yield running


@pytest.fixture(scope="session")
def module() -> Path:
    """The built module."""
    path = module_path()
    assert path.exists(), "the module is missing: run ./just build"
    return path


@pytest.fixture(scope="session")
def image(lab: Lab, module: Path, tmp_path_factory: pytest.TempPathFactory) -> Image:
    """The module in the registry, as `./just image` packs it."""
    folder = tmp_path_factory.mktemp("image")
    pins = pack(module.read_bytes(), "0.0.0", folder)
    return Image(lab.push(folder / "artefact", "0.0.0"), pins["artefact"].removeprefix("sha256:"), folder, pins)


@pytest.fixture(scope="session")
def mesh(
    lab: Lab, image: Image, provider: Upstream, authority: Authority, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], list[dict]]:
    """The egress gateway in Shadow; gives the resources of any overlay of it."""
    import egress

    folder = tmp_path_factory.mktemp("keys") / "credentials"

    def of(overlay: str) -> list[dict]:
        return egress.documents(overlay, image, provider, authority, folder)

    found = of("egress")
    egress.mount(found, folder, egress.CREDENTIALS)
    egress.up(lab, found)
    wait_for("the first answer", lambda: egress.ask(provider).status == 200, 60)
    return of
