"""Another module comes with an update, as at an upgrade: no request fails, and one that cannot run is not taken."""

from pathlib import Path

import pytest

from envoy import EnvoyFailed, wait_for
from policies import GUARD
from saboteur import write_trapping
from states import BAD_ONE, BAD_TWO, MASK_ONLY, TRAILERS, ask, refuses_injection, state
from traffic import Traffic


def not_a_module(_: Path, path: Path) -> Path:
    """A file that is no module."""
    path.write_bytes(b"\0asm and no more")
    return path


BROKEN = {
    "no-module": not_a_module,
    "no-file": lambda _, path: path,
    "traps-at-start": lambda module, path: write_trapping(module, "proxy_on_vm_start", path),
    "traps-when-configured": lambda module, path: write_trapping(module, "proxy_on_configure", path),
    "traps-before": lambda module, path: write_trapping(module, "proxy_on_context_create", path),
}

DELIVERIES = pytest.mark.parametrize("delivery", ["ECDS", "LDS"])


@pytest.fixture
def other(module, tmp_path) -> Path:
    """A module that one can tell from the shipped one: it traps on a request's trailers."""
    return write_trapping(module, "proxy_on_request_trailers", tmp_path / "other.wasm")


@DELIVERIES
def test_upgrade_under_load(fresh, upstream, module, other, delivery):
    """There and back. Its policy tells that a module is in force, since a trap would take the traffic's worker along."""
    envoy = fresh(GUARD, module=other, delivery=delivery, concurrency=2, drain=600)
    with Traffic(envoy.port, upstream) as traffic:
        traffic.go_on()
        envoy.replace_policy(MASK_ONLY, module=module)
        for _ in range(20):
            wait_for("the shipped one", lambda: not refuses_injection(envoy.port, upstream))
        assert state(ask(envoy.port, upstream, trailers=TRAILERS)) == "filtered"
        traffic.go_on()
    assert set(traffic.states) == {"filtered"}
    envoy.replace_policy(GUARD, module=other)
    wait_for("the other one", lambda: state(ask(envoy.port, upstream, trailers=TRAILERS)) == "bare")


@DELIVERIES
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_module_that_cannot_run_is_not_taken(fresh, upstream, module, tmp_path, delivery, broken):
    envoy = fresh(GUARD, delivery=delivery)
    resource = "LDS" if delivery == "LDS" else "weir"
    with Traffic(envoy.port, upstream) as traffic:
        traffic.go_on()
        envoy.replace_policy(MASK_ONLY, module=broken(module, tmp_path / "broken.wasm"))
        traffic.go_on()
        assert refuses_injection(envoy.port, upstream), "the old module and policy go on"
        assert envoy.update_stats(resource)["update_rejected"] == 1
        envoy.replace_policy(MASK_ONLY, module=module)
        wait_for("the next update", lambda: not refuses_injection(envoy.port, upstream))
    assert set(traffic.states) == {"filtered"}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_first_module_that_cannot_run(fresh, upstream, module, tmp_path, broken):
    """There is nothing before it that could go on. A good module repairs it."""
    cannot_run = broken(module, tmp_path / "broken.wasm")
    with pytest.raises(EnvoyFailed):
        fresh(GUARD, module=cannot_run)
    envoy = fresh(GUARD, module=cannot_run, delivery="ECDS")
    assert {ask(envoy.port, upstream).status for _ in range(20)} == {500}
    envoy.replace_policy(GUARD, module=module)
    wait_for("a good module", lambda: ask(envoy.port, upstream).status == 200)
    assert state(ask(envoy.port, upstream)) == "filtered"


@DELIVERIES
def test_a_bad_policy_with_another_module(fresh, upstream, module, other, delivery):
    envoy = fresh(BAD_ONE, module=module, delivery=delivery)
    envoy.replace_policy(GUARD)
    wait_for("the good policy in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    envoy.replace_policy(BAD_TWO, module=other)
    assert state(ask(envoy.port, upstream, trailers=TRAILERS)) == "filtered", "the old module and policy go on"
    envoy.replace_policy(BAD_ONE, module=other)
    wait_for("what was taken once, and nothing is known before", lambda: state(ask(envoy.port, upstream)) == "closed")
    envoy.replace_policy(GUARD, module=other)
    wait_for("a good one", lambda: state(ask(envoy.port, upstream)) == "filtered")
