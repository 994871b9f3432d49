"""What `./just image` says of the module: its bill of materials, and where it comes from."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import image
import provenance
import pytest
import sbom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message

MODULE = sbom.ROOT / f"target/{sbom.TARGET}/release/weir_filter.wasm"


def packed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs the script as `./just image` does."""
    monkeypatch.setattr(sys, "argv", ["image.py", str(MODULE), str(folder), "--version", "1.2.3"])
    image.main()
    return folder


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """What the script wrote."""
    return packed(tmp_path / "image", monkeypatch)


@pytest.fixture
def bill(folder) -> dict:
    return json.loads((folder / "sbom.json").read_text())


@pytest.fixture
def statement(folder) -> dict:
    return json.loads((folder / "provenance.json").read_text())


def compiled() -> set[str]:
    """The crates that cargo compiled for the module's target, whatever they were needed for; from its cache if it has them."""
    command = ["cargo", "build", "--package", sbom.PACKAGE, "--target", sbom.TARGET, "--profile", "module"]
    found = set()
    for line in sbom.output(*command, "--message-format=json").splitlines():
        told = json.loads(line)
        if any(f"/{sbom.TARGET}/" in file for file in told.get("filenames", [])):
            name, _, version = told["package_id"].rpartition("#")[2].rpartition("@")
            found.add(f"pkg:cargo/{name or Path(told['package_id'].partition('#')[0]).name}@{version}")
    return found


def test_the_bill_is_cyclonedx(folder):
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str((folder / "sbom.json").read_text()) is None


def test_the_bill_has_what_was_compiled_for_the_module_and_nothing_else(bill):
    named = {component["bom-ref"] for component in bill["components"]}
    assert named - {"rust-std"} == compiled()
    assert {entry["ref"] for entry in bill["dependencies"]} == {*named, "weir"}


def test_the_bill_says_what_each_crate_is(bill):
    """Those of the registry have the checksum of the lockfile; those of the repository are in no registry."""
    for component in bill["components"]:
        assert component["licenses"], component["name"]
        ours = component["name"].startswith("weir-")
        assert ("purl" in component) is not ours
        if component["name"] != "rust-std" and not ours:
            [digest] = component["hashes"]
            assert f'checksum = "{digest["content"]}"' in (sbom.ROOT / "Cargo.lock").read_text()
    assert bill["metadata"]["component"]["hashes"][0]["content"] == hashlib.sha256(MODULE.read_bytes()).hexdigest()


def test_the_provenance_is_slsa(statement):
    """Every member is one that the schemas have."""
    json_format.ParseDict(statement["predicate"], Provenance())
    message = json_format.ParseDict(statement, Message())
    Statement.copy_from_pb(message).validate()


def test_the_provenance_is_about_what_was_packed(folder, statement):
    pins = json.loads((folder / "pins.json").read_text())
    subjects = {subject["name"]: subject["digest"]["sha256"] for subject in statement["subject"]}
    assert subjects.pop("weir_filter.wasm") == pins["sha256"] == hashlib.sha256(MODULE.read_bytes()).hexdigest()
    for name, digest in subjects.items():
        assert pins[name] == f"sha256:{digest}"
        assert hashlib.sha256((folder / name / "blobs/sha256" / digest).read_bytes()).hexdigest() == digest
    [product] = statement["predicate"]["runDetails"]["byproducts"]
    assert product["digest"]["sha256"] == hashlib.sha256((folder / "sbom.json").read_bytes()).hexdigest()


def test_the_provenance_names_what_went_in(bill, statement):
    """The crates of the module, those that its build needed, and no others of the lockfile."""
    materials = statement["predicate"]["buildDefinition"]["resolvedDependencies"]
    given = {material.get("uri"): material["digest"] for material in materials}
    crates = {uri: digest["sha256"] for uri, digest in given.items() if uri and uri.startswith("pkg:cargo/")}
    linked = {c["purl"]: c["hashes"][0]["content"] for c in bill["components"] if "hashes" in c}
    assert linked.items() < crates.items()
    assert {name.split("@")[0] for name in crates} >= {"pkg:cargo/saphyr", "pkg:cargo/syn"}
    assert len(crates) < (sbom.ROOT / "Cargo.lock").read_text().count("checksum = ")
    assert given[None]["gitCommit"] == sbom.output("git", "rev-parse", "HEAD").strip()
    [optimizer] = [uri for uri in given if uri and uri.startswith("pkg:npm/binaryen@")]
    assert "sha512" in given[optimizer]


@pytest.mark.parametrize("name", ["sbom", "provenance"])
def test_a_registry_can_list_it_beside_the_artefact(folder, name):
    pins = json.loads((folder / "pins.json").read_text())
    blobs = folder / name / "blobs/sha256"
    manifest = json.loads((blobs / image.sha256(pins[name])).read_text())
    assert manifest["subject"]["digest"] == pins["artefact"]
    [layer] = manifest["layers"]
    assert layer["mediaType"] == manifest["artifactType"]
    assert (blobs / image.sha256(layer["digest"])).read_bytes() == (folder / f"{name}.json").read_bytes()


def test_the_same_module_gives_the_same_bytes(folder, tmp_path, monkeypatch):
    again = packed(tmp_path / "again", monkeypatch)
    files = [sorted(path.relative_to(made) for path in made.rglob("*") if path.is_file()) for made in (folder, again)]
    assert files[0] == files[1] and len(files[0]) > 20
    assert [(folder / file).read_bytes() for file in files[0]] == [(again / file).read_bytes() for file in files[0]]


def test_the_time_is_the_revisions_unless_a_packager_says_it(folder, bill, tmp_path, monkeypatch):
    seconds = int(sbom.output("git", "log", "-1", "--format=%ct"))
    assert provenance.made().timestamp() == seconds
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    other = json.loads((packed(tmp_path / "again", monkeypatch) / "sbom.json").read_text())
    assert other["metadata"]["timestamp"] == "1970-01-02T00:00:00Z" != bill["metadata"]["timestamp"]
    assert other["serialNumber"] != bill["serialNumber"]


def test_the_source_is_as_it_stands(tmp_path, monkeypatch):
    """What no revision has is said, and nobody's password or folder."""
    monkeypatch.setattr(sbom, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.source() == {"name": "source"}

    def git(*arguments: str) -> None:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    git("init")
    (tmp_path / "Cargo.toml").write_text("")
    git("add", ".")
    git("commit", "-m", "first")
    git("remote", "add", "origin", str(tmp_path))
    assert "uri" not in provenance.source() and not provenance.source()["annotations"]["modified"]
    (tmp_path / "README").write_text("of no import to the module")
    assert not provenance.source()["annotations"]["modified"]
    (tmp_path / "Cargo.toml").write_text("[workspace]")
    git("remote", "set-url", "origin", "https://user:password@example.com/weir/weir.git")
    assert provenance.source()["annotations"]["modified"]
    assert provenance.source()["uri"] == "git+https://example.com/weir/weir.git"
