"""`spboot sbom`: what a link map shows is in the bill, and the bill is CycloneDX by the official schema."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any

import pytest

from spboot import sbom
from spboot.builder.build_record import BuildRecord
from spboot.dossier import papers
from spboot.dossier.subject import Subject
from spboot.errors import AuthenticationError, BuildError, FormatError
from spboot.formats import link_map
from spboot.formats.spec import data_path
from spboot.keys import Keys

from .conftest import BOARD, TARGET
from .supply import GNU, LLD, LLD_FOREIGN, boot_folder, kept, record
from .test_cli import Run, run  # noqa: F401

VEX = """
[[vulnerability]]
id = "CVE-2026-0002"
source = "NVD"
component = "application"
state = "not_affected"
justification = "code_not_present"
detail = "The parser is not linked."
response = ["update"]

[[vulnerability]]
id = "CVE-2026-0001"
component = "bootloader"
state = "in_triage"
"""


def named(document: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Its components of type *kind*, those inside of others too, by name."""
    found = list(document["components"])
    for each in found:
        found += each.get("components", [])
    return {each["name"]: each for each in found if each["type"] == kind}


def assert_valid(document: dict[str, Any]) -> None:
    """By the schema of CycloneDX 1.6, as its own library has it."""
    pytest.importorskip("cyclonedx", reason="the library of CycloneDX comes with `make dev`")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(sbom.text(document)) is None


def test_maps_of_both_linkers() -> None:
    lld, gnu = link_map.read(LLD_FOREIGN, "a.map"), link_map.read(GNU, "b.map")
    assert lld.inputs == {"boot.elf.lto.o": 0x40, "libcompiler_rt.a(udivsi3.o)": 0x20}
    assert lld.symbols == {"vectors", "spb_aes128_ctr"}
    assert gnu.inputs == {"ltrans0.ltrans.o": 0x3CE4, "libgcc.a(_udivsi3.o)": 0x30}
    assert gnu.symbols == {"spb_aes128_ctr", "__udivsi3", "spb_stack_top"}
    with pytest.raises(FormatError, match=r"c\.map: not a map of ld\.lld or GNU ld"):
        link_map.read("nothing", "c.map")


def test_a_bootloader_is_its_sources_and_what_the_map_shows(tmp_path: Path, secrets: Keys) -> None:
    made = sbom.of_bootloader(boot_folder(tmp_path / "boot", secrets), TARGET)
    files = named(made, "file")
    source = files["firmware/crypto/aes.c"]
    found = hashlib.sha256((data_path("firmware") / "crypto" / "aes.c").read_bytes()).hexdigest()
    assert source["hashes"] == [{"alg": "SHA-256", "content": found}]
    assert source["licenses"] == [{"license": {"id": "MIT"}}]
    assert "firmware/crypto/aes.h" in files
    assert files["generated/core/spb_config.h"]["properties"][0]["name"] == "spboot:generated"
    assert not named(made, "library")
    assert named(made, "application")["clang"]["scope"] == "excluded"
    assert made["vulnerabilities"] == []
    root = made["metadata"]["component"]
    assert (root["version"], root["type"]) == ("0.1.0", "firmware")
    assert set(made["dependencies"][0]["dependsOn"]) == {each["bom-ref"] for each in files.values()}
    assert_valid(made)


def test_a_component_of_others_is_there_when_the_map_shows_it(tmp_path: Path, secrets: Keys) -> None:
    libgcc = named(sbom.of_bootloader(boot_folder(tmp_path / "a", secrets, GNU, unknown=()), TARGET), "library")[
        "libgcc"
    ]
    assert libgcc["licenses"] == [{"expression": "GPL-3.0-or-later WITH GCC-exception-3.1"}]
    assert libgcc["properties"] == [{"name": "spboot:bytes", "value": str(0x30)}]
    made = sbom.of_bootloader(boot_folder(tmp_path / "b", secrets, LLD_FOREIGN), TARGET)
    assert named(made, "library")["libcompiler_rt"]["version"] == "unknown"
    strange = LLD + " 80004c1  80004c1       c4     1                 strange_function\n"
    made = sbom.of_bootloader(boot_folder(tmp_path / "c", secrets, strange), TARGET)
    assert list(named(made, "library")) == ["strange_function"]
    assert_valid(made)


def test_a_dossier_claims_no_bill_with_something_unknown_in_it(tmp_path: Path, secrets: Keys) -> None:
    known, strange = (boot_folder(tmp_path / name, secrets, text) for name, text in (("a", LLD), ("b", LLD_FOREIGN)))
    release = kept(tmp_path / "releases", secrets, known, 1)[0]
    subject = Subject(release=release, board=BOARD, keys=secrets)
    assert papers._sbom(subject, known).holds
    outcome = papers._sbom(subject, strange)
    assert not outcome.holds and "of others in the bootloader: libcompiler_rt" in outcome.found


def test_the_bill_tells_of_no_key_and_no_place(tmp_path: Path, secrets: Keys) -> None:
    first = sbom.text(sbom.of_bootloader(boot_folder(tmp_path / "a", secrets), TARGET))
    assert first == sbom.text(sbom.of_bootloader(boot_folder(tmp_path / "b", secrets), TARGET))
    assert str(tmp_path) not in first and secrets.encryption.hex() not in first


def test_of_other_sources_it_says_nothing(tmp_path: Path, secrets: Keys) -> None:
    sources = {**record().sources, "crypto/aes.c": "00" * 32}
    folder = boot_folder(tmp_path / "boot", secrets, sources=sources)
    with pytest.raises(BuildError, match=r"built from another crypto/aes\.c than this spboot has"):
        sbom.of_bootloader(folder, TARGET)
    with pytest.raises(BuildError, match=r"build\.json: there is no such file: build the bootloader"):
        sbom.of_bootloader(tmp_path, TARGET)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"format": 2}',
        record().text().replace('"demo"', "5"),
        record().text().replace("{\n ", "["),
        record().text().replace('"development": false', '"development": "no"'),
        record(unknown="memcpy").text(),
        record(unknown=[5]).text(),
    ],
)
def test_a_record_that_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / f"spboot-{TARGET}.build.json").write_text(text)
    with pytest.raises(FormatError, match=r"build\.json: "):
        BuildRecord.load(tmp_path, TARGET)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / f"spboot-{TARGET}.build.json").write_text(record().text())
    assert BuildRecord.load(tmp_path, TARGET) == record()


def test_a_release(tmp_path: Path, secrets: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    boot = boot_folder(tmp_path / "boot", secrets)
    release = kept(tmp_path / "releases", secrets, boot)[-1]
    own = tmp_path / "own.json"
    inner = {"type": "library", "name": "inside"}
    parts = [{"type": "library", "name": "rtos", "version": "11.1", "bom-ref": "rtos", "components": [inner]}]
    own.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": parts}))
    (tmp_path / "vex.toml").write_text(VEX)
    made = sbom.of_release(release, boot, merge=[own], vex_file=tmp_path / "vex.toml")
    application = named(made, "firmware")[release.application.file]
    assert application["hashes"][0]["content"] == release.application.sha256
    assert application["components"][0]["bom-ref"] == "merged:rtos"
    assert {item.file for item in release.items} <= named(made, "file").keys()
    assert "firmware/crypto/aes.c" in named(made, "file")
    first, second = made["vulnerabilities"]
    assert (first["id"], first["analysis"]) == ("CVE-2026-0001", {"state": "in_triage"})
    assert second["affects"] == [{"ref": application["bom-ref"]}]
    assert_valid(made)
    serial = uuid.UUID(made["serialNumber"])
    assert serial.version == 5 and "timestamp" not in made["metadata"]
    assert sbom.of_release(release, boot, merge=[own], vex_file=tmp_path / "vex.toml") == made
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    timed = sbom.of_release(release)
    assert timed["metadata"]["timestamp"] == "2023-11-14T22:13:20Z"
    assert_valid(timed)


def test_a_merged_component_takes_no_name_of_ours(tmp_path: Path, secrets: Keys) -> None:
    """A statement on the bootloader stays one on the bootloader."""
    boot = boot_folder(tmp_path / "boot", secrets)
    release = kept(tmp_path / "releases", secrets, boot, 1)[0]
    own = tmp_path / "own.json"
    own.write_text(json.dumps({"bomFormat": "CycloneDX", "components": [{"type": "library", "name": "bootloader"}]}))
    (tmp_path / "vex.toml").write_text(VEX)
    affected = [
        sbom.of_release(release, boot, merge=merge, vex_file=tmp_path / "vex.toml")["vulnerabilities"][0]["affects"]
        for merge in ([own], [])
    ]
    assert affected[0] == affected[1]


def test_a_release_that_does_not_fit(tmp_path: Path, secrets: Keys) -> None:
    boot = boot_folder(tmp_path / "boot", secrets)
    release = kept(tmp_path / "releases", secrets, boot, 1)[0]
    other = boot_folder(tmp_path / "other", Keys.new(tmp_path / "keys", "demo"))
    with pytest.raises(BuildError, match="has another bootloader"):
        sbom.of_release(release, other)
    own = tmp_path / "own.json"
    for text, words in (
        ("x", "not a JSON file"),
        ("{}", "bomFormat is not CycloneDX"),
        ('{"bomFormat": "CycloneDX", "components": [5]}', "no list of components"),
        ('{"bomFormat": "CycloneDX", "components": [{"name": "a", "components": [5]}]}', "no list of components"),
        ('{"bomFormat": "CycloneDX", "components": [{"name": "a", "components": {}}]}', "no list of components"),
        ('{"bomFormat": "CycloneDX", "components": [{"name": "a"}, {"name": "a"}]}', "two merged components"),
        (
            '{"bomFormat": "CycloneDX", "components": [{"name": "a"}, {"name": "b", "components": [{"name": "a"}]}]}',
            "two merged components are called 'a'",
        ),
    ):
        own.write_text(text)
        with pytest.raises(FormatError, match=words):
            sbom.of_release(release, merge=[own])
    (release.folder / release.image.file).write_bytes(b"changed")
    with pytest.raises(AuthenticationError, match="it was changed since"):
        sbom.of_release(release)


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ('justification = "code_not_present"\n', "", "justification is None, expected one of"),
        ('detail = "The parser is not linked."\n', "", "detail is None, expected text"),
        ('state = "in_triage"', 'state = "fine"', "state is 'fine', expected one of exploitable"),
        ('"bootloader"', '"kernel"', "component is 'kernel', expected one of application, bootloader"),
        ('["update"]', '["pray"]', "response is .'pray'., expected a list of"),
        ("source", "sauce", "unknown key 'sauce', expected id, source"),
        ("[[vulnerability]]", "[[weakness]]", "unknown key 'weakness'"),
        ('id = "CVE-2026-0002"', "id = ", "not a TOML file"),
    ],
)
def test_a_statement_has_to_say_why(tmp_path: Path, secrets: Keys, before: str, after: str, words: str) -> None:
    folder = boot_folder(tmp_path / "boot", secrets)
    release = kept(tmp_path / "releases", secrets, folder, 1)[0]
    path = tmp_path / "vex.toml"
    assert before in VEX
    path.write_text(VEX.replace(before, after))
    with pytest.raises(FormatError, match=words):
        sbom.of_release(release, folder, vex_file=path)


def test_the_command(run: Run, secrets: Keys) -> None:  # noqa: F811
    boot = boot_folder(Path("boot"), secrets)
    release = kept(Path("releases"), secrets, boot, 1)[0]
    code, out, err = run("sbom", "boot")
    assert (code, err) == (0, "") and json.loads(out)["bomFormat"] == "CycloneDX"
    code, out, _ = run("sbom", release.folder, "--bootloader", "boot", "-o", "r.json", "--json")
    assert code == 0 and json.loads(out)["components"] == len(json.loads(Path("r.json").read_text())["components"])
    assert run("sbom", "boot", "--merge", "r.json")[0] == 2
    code, _, err = run("sbom", ".")
    assert code == 1 and "there is no release and no bootloader in it: make one with `spboot build`" in err
