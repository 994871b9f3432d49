"""The module as a registry hands it out: the artefact by tag and digest, the compat image, and what a pin refuses."""

import pytest
from egress import ask, back_to_shadow, enforces
from envoy import wait_for
from image import pack
from manifests import as_list, plugin_of


def plugin(mesh, **changes) -> str:
    """The gateway's plugin in Enforce with another module."""
    found = plugin_of(mesh("egress-enforce"))
    found["spec"] |= changes
    return as_list([found])


@pytest.fixture
def back(mesh, lab, provider):
    """In Shadow before and after."""
    yield
    back_to_shadow(lab, mesh, provider)


def by_digest(image, lab) -> dict:
    return {"url": f"{image.url.rpartition(':')[0]}@sha256:{image.sha256}"}


def compat(image, lab) -> dict:
    url = lab.push(image.folder / "compat", "0.0.0-compat")
    return {"url": url, "sha256": image.pins["compat"].removeprefix("sha256:")}


@pytest.mark.parametrize("form", [by_digest, compat])
def test_it_is_pulled(mesh, lab, image, provider, back, form):
    lab.apply(plugin(mesh, **form(image, lab)))
    enforces(provider)


def test_another_module_under_the_same_tag_is_not_taken(mesh, lab, image, provider, back, tmp_path):
    """Whoever can write to the registry cannot put a module into the proxies."""
    pack(b"\0asm\x01\0\0\0", "0.0.0", tmp_path)
    url = lab.push(tmp_path / "artefact", "0.0.0", repository="weir/other")
    lab.apply(plugin(mesh, url=url))
    wait_for("the wrong module", lambda: ask(provider).status == 403, 30)
    assert {ask(provider).status for _ in range(10)} == {403}


def test_the_same_module_gives_the_same_bytes(image, module, tmp_path):
    assert pack(module.read_bytes(), "0.0.0", tmp_path / "again") == image.pins
    blobs = [sorted(p.name for p in folder.rglob("blobs/sha256/*")) for folder in (image.folder, tmp_path / "again")]
    assert blobs[0] == blobs[1] and len(blobs[0]) > 5
