"""The environment of the VM, where the keys of a policy are: it changes with an update, and a lost key is no open door.

Envoy makes new VMs where the VM's configuration differs, and in newer versions where the environment differs too; older
ones go on with the environment of the VMs that are there. So whoever changes a key changes the VM's configuration with
it: any other text will do, and what the VMs of a `vm_id` share lives on.
"""

import pytest

from envoy import wait_for
from gateway import Gateway
from policies import SECRETS, policy
from samples import SECRET, tokens
from states import MASK_ONLY, PROVIDER, ask, state

NONE = {"vm_configuration": "none"}
SHORT = {"vm_configuration": "short", "environment": {"WEIR_KEY": "short"}}
ONE = {"vm_configuration": "one", "environment": {"WEIR_KEY": "a key of the first year"}}
TWO = {"vm_configuration": "two", "environment": {"WEIR_KEY": "a key of the second year"}}

KEYED = policy("keyed", packs=[SECRETS], keys=[{"name": "prints", "use": "Fingerprint", "env": "WEIR_KEY"}])


def fingerprint(envoy: Gateway, upstream) -> str:
    """How the record names the secret of one exchange."""
    scenario = upstream.add(PROVIDER.answer(tokens(f"the key {SECRET} is here", 4)))
    assert state(ask(envoy.port, upstream, scenario=scenario)) == "filtered"
    [row] = envoy.access(scenario)["weir"]["rules"]
    [found] = row["fingerprints"]
    return found


@pytest.mark.parametrize("delivery", ["ECDS", "LDS"])
def test_a_key_is_changed_without_a_restart(fresh, upstream, delivery):
    """The text of the policy stays the same."""
    envoy = fresh(KEYED, delivery=delivery, **ONE)
    first = fingerprint(envoy, upstream)
    assert fingerprint(envoy, upstream) == first
    envoy.replace_policy(KEYED, **TWO)
    wait_for("the other key", lambda: fingerprint(envoy, upstream) != first)
    envoy.replace_policy(KEYED, **ONE)
    wait_for("the first key", lambda: fingerprint(envoy, upstream) == first)
    told = envoy.log() + envoy.admin("/stats")
    assert not any(key in told for vm in (ONE, TWO) for key in vm["environment"].values())


@pytest.mark.parametrize("lost", [NONE, SHORT], ids=["none", "short"])
def test_an_update_that_loses_the_key_is_refused(fresh, upstream, lost):
    envoy = fresh(KEYED, delivery="ECDS", **ONE)
    first = fingerprint(envoy, upstream)
    envoy.replace_policy(KEYED, **{"environment": {}, **lost})
    assert envoy.update_stats()["update_rejected"] == 1
    assert fingerprint(envoy, upstream) == first, "the old policy and its key go on"
    assert "weir: policy refused: /spec/keys/0/env: `WEIR_KEY` holds no key" in envoy.log()


def test_a_key_that_was_missing_at_the_start(fresh, upstream):
    """Lost again, it is an environment that Envoy took once, so it takes it again; VMs that knew better are gone."""
    envoy = fresh(KEYED, delivery="ECDS", **NONE)
    assert state(ask(envoy.port, upstream)) == "closed"
    envoy.replace_policy(KEYED, **ONE)
    wait_for("the key in force", lambda: state(ask(envoy.port, upstream)) == "filtered")
    envoy.replace_policy(KEYED, **NONE, environment={})
    assert envoy.update_stats()["update_rejected"] == 0
    wait_for("closed again", lambda: state(ask(envoy.port, upstream)) == "closed")
    envoy.replace_policy(MASK_ONLY, **NONE)
    wait_for("a policy without keys", lambda: state(ask(envoy.port, upstream)) == "filtered")


def test_a_new_vm_id_forgets(fresh, upstream):
    """What VMs share hangs on the id, so nothing says that there was a good policy."""
    envoy = fresh(KEYED, delivery="ECDS", **ONE)
    fingerprint(envoy, upstream)
    envoy.replace_policy(KEYED, vm="weir-second", **NONE, environment={})
    assert envoy.update_stats()["update_rejected"] == 0
    wait_for("closed", lambda: state(ask(envoy.port, upstream)) == "closed")
