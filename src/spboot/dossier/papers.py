"""Runs: what is in the files of a release: keys, protection, bill of materials, a second making."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from spboot import disk, reproduce, sbom
from spboot.builder.build_record import name_of
from spboot.dossier.claim import Check, Input, Outcome, lines_with
from spboot.dossier.subject import Subject

_DEVELOPMENT = "DEVELOPMENT KEYS"


def checks(subject: Subject) -> Iterator[Check]:
    """Of the release alone, and of its bootloader where the folder of that is known."""
    item = subject.factory_item(subject.release)
    yield _keys(subject, subject.given(item))
    yield Check(
        group="protection",
        id="protection",
        sentence="The bootloader says at every start how flash is protected. Expected in production: read level 1 or "
        f"higher, and write protection of the bootloader at {subject.board.bootloader}. Neither is in the files of the "
        "release: the programmer sets them by option bytes.",
        run="twin: the factory file programmed into a part as it is delivered, power on",
        inputs=(subject.given(item),),
        act=lambda: _protection(subject),
    )
    if subject.bootloader is None:
        subject.gaps.append("No bill of materials and no second making: the folder of the bootloader was not given.")
        return
    folder = subject.bootloader
    boot = _boot_inputs(subject, folder)
    yield Check(
        group="sbom",
        id="sbom",
        sentence="There is a bill of materials of the release in CycloneDX: its application, its files, and every "
        "source of its bootloader. The link map of the bootloader shows nothing that is not in it.",
        run="host: link map, build record and sources compared (`spboot sbom`)",
        inputs=(*boot, subject.given(subject.release.application)),
        act=lambda: _sbom(subject, folder),
    )
    yield Check(
        group="reproducible",
        id="bootloader-reproducible",
        sentence="The bootloader was built a second time from its sources, and every file is the same, byte for byte.",
        run="host: built in another folder by the compiler of the build record (`spboot reproduce`)",
        inputs=boot,
        act=lambda: _compared(reproduce.of_bootloader(folder, subject.board, subject.keys)),
    )
    yield Check(
        group="reproducible",
        id="release-reproducible",
        sentence="Image, patches and factory files were made a second time from the kept applications, and every file "
        "is the same, byte for byte.",
        run="host: made in another folder, with the signatures of the release (`spboot reproduce`)",
        inputs=tuple(subject.given(each) for each in subject.release.items),
        act=lambda: _compared(reproduce.of_release(subject.release, subject.board, subject.keys, folder)),
    )


def _boot_inputs(subject: Subject, folder: Path) -> tuple[Input, ...]:
    stem = f"spboot-{subject.board.name}"
    names = (f"{stem}.bin", f"{stem}.map", name_of(subject.board.name))
    return tuple(Input.of(name, disk.read(folder / name)) for name in names if (folder / name).is_file())


def _keys(subject: Subject, factory: Input) -> Check:
    if subject.release.development:
        sentence = "The keys of this release are development keys, and the bootloader says so at every start: it is "
        sentence += "not for devices in the field."
        subject.gaps.append(
            "The release was made with development keys, which are no secret: nothing here holds of it "
            "once it leaves the desk."
        )
    else:
        sentence = "The keys of this release are not development keys; the bootloader would say so at every start."
    return Check(
        group="keys",
        id="keys",
        sentence=sentence,
        run="twin: the factory file programmed, power on; host: key folder and release compared",
        inputs=(factory, Input(name="public key (DER)", sha256=_fingerprint(subject))),
        act=lambda: _keys_said(subject),
    )


def _fingerprint(subject: Subject) -> str:
    der = subject.keys.verify.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def _keys_said(subject: Subject) -> Outcome:
    found = lines_with(subject.after.heard, _DEVELOPMENT, "product ")
    said = any(_DEVELOPMENT in line for line in found)
    holds = said == subject.release.development == subject.keys.development
    return Outcome(holds=holds, found=found)


def _protection(subject: Subject) -> Outcome:
    found = lines_with(subject.after.heard, "protection: ")
    return Outcome(holds=len(found) == 1, found=found)


def _sbom(subject: Subject, folder: Path) -> Outcome:
    made = sbom.of_release(subject.release, folder)
    boot = next(each for each in made["components"] if each["name"] == f"spboot-{subject.board.name}")
    third = [each["name"] for each in boot["components"] if each["type"] == "library"]
    unknown = [each["name"] for each in boot["components"] if each.get("version") == "unknown"]
    found = [f"SHA-256 of the bill: {hashlib.sha256(sbom.text(made).encode()).hexdigest()}"]
    found.append(f"of others in the bootloader: {', '.join(third) or 'nothing'}")
    counts = {"files of the bootloader": len(boot["components"]) - len(third), "components of others": len(third)}
    return Outcome(holds=not unknown, found=tuple(found), counts=counts)


def _compared(made: reproduce.Comparison) -> Outcome:
    counts = {"files": len(made.files), "different": len(made.different)}
    return Outcome(holds=made.same, found=(*map(str, made.different), *made.reasons), counts=counts)
