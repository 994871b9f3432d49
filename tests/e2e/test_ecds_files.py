"""`envoy/ecds`: plain Envoy with its policy in a watched file. The files and the README's commands as they stand, but for ports."""

import http.client
import json
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
import yaml

from envoy import Envoy, wait_for
from gateway import PROJECT
from samples import INJECTION, SECRET, leaked, tokens
from states import PATH, PROVIDER, ask, refuses_injection, state, text_of
from test_reload import gated
from traffic import Traffic
from upstream import SCENARIO

FOLDER = PROJECT / "envoy/ecds"
RESOURCE = "envoy/ecds/weir.yaml"
MODULE = "target/wasm32-wasip1/release/weir_filter.wasm"


class Files(Envoy):
    """The proxy in a copy of the project, whose model server is the fake provider."""

    def start(self, upstream_port: int, module: Path, watched: str = "") -> "Files":
        """Runs it; `watched` is a folder that is mounted in the place of the resource's own."""
        shutil.copytree(FOLDER, self.folder / "envoy/ecds")
        (self.folder / "just").symlink_to(PROJECT / "just")
        self.change(lambda text: text.replace(MODULE, str(module)))
        document = yaml.safe_load((FOLDER / "envoy.yaml").read_text())
        document["admin"]["address"]["socket_address"]["port_value"] = 0
        [listener] = document["static_resources"]["listeners"]
        listener["address"]["socket_address"]["port_value"] = 0
        [cluster] = document["static_resources"]["clusters"]
        [endpoint] = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"]
        endpoint["endpoint"]["address"]["socket_address"]["port_value"] = upstream_port
        if watched:
            manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
            source = manager["http_filters"][0]["config_discovery"]["config_source"]["path_config_source"]
            source |= {"path": f"{watched}/weir.yaml", "watched_directory": {"path": watched}}
        self.run(document, working_directory=self.folder, drain=600)
        return self

    def change(self, edit) -> None:
        """Renames an edited copy over the resource."""
        path = self.folder / RESOURCE
        beside = path.with_name("beside.yaml")
        beside.write_text(edit(path.read_text()))
        beside.rename(path)

    def updates(self) -> dict[str, int]:
        """What became of the resource's updates."""
        found = self.stats("extension_config_discovery.http_filter.weir.update_")
        return {name.rpartition(".")[2]: value for name, value in found.items()}

    def run_block(self, block: str) -> str:
        """Runs one of the README's blocks as a user would; returns its output."""
        block = block.replace("127.0.0.1:9901", f"127.0.0.1:{self._admin}")
        done = subprocess.run(["bash", "-euo", "pipefail", "-c", block], cwd=self.folder, capture_output=True, text=True)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture
def files(upstream, module):
    """The proxy as the README starts it."""
    envoy = Files()
    yield envoy.start(upstream.port, module)
    envoy.stop()


def blocks() -> list[str]:
    """The README's shell blocks, in order."""
    found = re.findall(r"```sh\n(.*?)```", (FOLDER / "README.md").read_text(), re.DOTALL)
    return [re.sub(r"^ {3}", "", block, flags=re.MULTILINE).strip() for block in found]


def without_injection(text: str) -> str:
    """The resource without what refuses injected prompts; it masks secrets still."""
    return text.replace('{"name": "injection"},', "")


def test_refused_masked_and_clean(files, upstream):
    assert refuses_injection(files.port, upstream)
    for stream in (False, True):
        assert state(ask(files.port, upstream, stream=stream)) == "filtered", "the secret is masked"
    whole = upstream.add(PROVIDER.answer(["nothing to hide"]))
    answer = ask(files.port, upstream, scenario=whole)
    [seen] = upstream.received(whole)
    assert answer.status == 200 and answer.body == b"".join(PROVIDER.answer(["nothing to hide"])(seen).sending.pieces)
    assert seen.json() == PROVIDER.request("hello")


def test_the_readmes_way_there_and_back(files, upstream):
    edit, check, rename, taken, back = blocks()
    files.run_block(edit)
    assert "good" in files.run_block(check)
    files.run_block(rename)
    clean = upstream.add(PROVIDER.answer(["fine"]))
    wait_for("Shadow", lambda: ask(files.port, upstream, INJECTION, scenario=clean).status == 200)
    told = files.run_block(taken)
    assert "update_success: 2\n" in told and "update_rejected: 0\n" in told
    files.run_block(back)
    wait_for("Enforce", lambda: ask(files.port, upstream, INJECTION, scenario=clean).status == 403)


def test_a_change_under_load_with_a_stream_open(files, upstream):
    """No request fails or passes unmasked, and the stream ends under the policy that it began with."""
    gate = Event()
    slow = upstream.add(gated(f"the key {SECRET} is here", 6, [gate]))
    quick = upstream.add(PROVIDER.answer(tokens(f"the key {SECRET} is here", 6)))
    with ThreadPoolExecutor() as pool:
        stream = pool.submit(ask, files.port, upstream, stream=True, scenario=slow)
        wait_for("the stream", lambda: upstream.received(slow, settled=False))
        with Traffic(files.port, upstream) as traffic:
            traffic.go_on()
            files.change(without_injection)
            wait_for("the change", lambda: not refuses_injection(files.port, upstream))
            traffic.go_on()
        assert set(traffic.states) == {"filtered"} and traffic.count() >= 40
        files.change(lambda text: text.replace('"secrets", "action": "Mask"', '"secrets", "action": "Audit"'))
        wait_for("what masks nothing", lambda: leaked(text_of(ask(files.port, upstream, stream=True, scenario=quick))))
        assert not stream.done()
        gate.set()
        assert state(stream.result()) == "filtered"


def test_a_connection_from_before_comes_under_the_new_policy(files, upstream):
    scenario = upstream.add(PROVIDER.answer(["fine"]))
    headers = {SCENARIO: scenario, "content-type": "application/json"}
    connection = http.client.HTTPConnection("127.0.0.1", files.port, timeout=20)

    def status() -> int:
        connection.request("POST", PATH, json.dumps(PROVIDER.request(INJECTION)), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    assert status() == 403
    socket = connection.sock
    files.change(without_injection)
    wait_for("the change", lambda: status() == 200)
    assert connection.sock is socket, "one connection"


def test_a_broken_policy_leaves_the_old_one(files, upstream):
    with Traffic(files.port, upstream) as traffic:
        traffic.go_on()
        files.change(lambda text: text.replace('"packs"', '"packz"'))
        wait_for("the refusal", lambda: files.updates()["update_rejected"] == 1)
        traffic.go_on()
        assert refuses_injection(files.port, upstream), "the old policy goes on"
    assert set(traffic.states) == {"filtered"}
    assert "weir: policy refused: /spec/packz: unknown field" in files.log()


def test_writing_into_the_file_changes_nothing(files, upstream):
    """So nothing that is half written is read. The next rename brings what the file then holds."""
    path = files.folder / RESOURCE
    path.write_text(without_injection(path.read_text()))
    time.sleep(1)
    assert files.updates()["update_success"] == 1 and refuses_injection(files.port, upstream)
    files.change(lambda text: text)
    wait_for("the rename", lambda: not refuses_injection(files.port, upstream))


def test_a_mounted_config_map(upstream, module, tmp_path):
    """As the kubelet writes it: the folder's files lead through `..data`, which is renamed over."""

    def put(name: str, text: str) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "weir.yaml").write_text(text)
        (tmp_path / "..data_tmp").symlink_to(name)
        (tmp_path / "..data_tmp").rename(tmp_path / "..data")

    text = (FOLDER / "weir.yaml").read_text().replace(MODULE, str(module))
    put("..1", text)
    (tmp_path / "weir.yaml").symlink_to("..data/weir.yaml")
    envoy = Files()
    try:
        envoy.start(upstream.port, module, watched=str(tmp_path))
        assert refuses_injection(envoy.port, upstream)
        put("..2", without_injection(text))
        wait_for("the change", lambda: not refuses_injection(envoy.port, upstream))
    finally:
        envoy.stop()
