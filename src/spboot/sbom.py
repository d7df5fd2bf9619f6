"""Bills of materials (SBOM) as CycloneDX 1.6: of a bootloader, by its build record and link map, and of a release.

The same files give the same document: its serial number is a hash of it, and it has no time unless SOURCE_DATE_EPOCH
is set.  Names of components are those of files; where they lay is not told."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from spboot import disk, vex
from spboot.builder.build_record import BuildRecord
from spboot.errors import BuildError, FormatError
from spboot.formats import link_map, program
from spboot.formats.spec import data_path
from spboot.releases import Release
from spboot.secret import Secret

Document = dict[str, Any]
_SPEC: Final = "1.6"
_OURS: Final = [{"license": {"id": "MIT"}}]
_LICENCES: Final = {"libgcc": "GPL-3.0-or-later WITH GCC-exception-3.1"}
"""Of libraries that a linker may add."""
_LINKED: Final = ("boot.elf.lto.o", "ltrans")
"""How the linker calls what link-time optimisation made of our objects."""


def of_bootloader(folder: Path, board: str, *, vex_file: Path | None = None) -> Document:
    """The bill of the bootloader for *board* that `spboot build` wrote to *folder*.

    Raises BuildError: no bootloader, or of other sources than this spboot has; FormatError, DiskError."""
    record = BuildRecord.load(folder, board)
    root = _bootloader(folder, record)
    parts = _sources(record) + _linked(folder, record)
    tools = [_compiler(record)]
    names = {"bootloader": root["bom-ref"]} | {each["name"]: each["bom-ref"] for each in parts}
    return _document(root, [*parts, *tools], _edges(root, parts), vex_file, names)


def of_release(
    release: Release, bootloader: Path | None = None, *, merge: Sequence[Path] = (), vex_file: Path | None = None
) -> Document:
    """The bill of *release*: its files, its application, and its bootloader, in full when its folder *bootloader* is
    given.  *merge*: CycloneDX files of what the application is made of.

    Raises as `of_bootloader`, and AuthenticationError when a file of the release was changed."""
    for item in release.items:
        release.path(item)
    version, stem = str(release.version), f"{release.name} {release.version}"
    root = {
        "type": "firmware",
        "bom-ref": f"release:{release.name}@{version}",
        "name": release.name,
        "version": version,
        "description": f"{stem} for {release.board}, product {release.product}",
        "hashes": _hashes(release.image.sha256),
    }
    application: Document = {
        "type": "firmware",
        "bom-ref": f"application:{release.application.file}",
        "name": release.application.file,
        "version": version,
        "hashes": _hashes(release.application.sha256),
    }
    parts = [application, *(_file(f"release:{item.file}", item.file, item.sha256) for item in release.items)]
    names = {"application": application["bom-ref"]}
    edges: list[Document] = []
    tools: list[Document] = []
    if bootloader is not None:
        record = BuildRecord.load(bootloader, release.board)
        boot = _bootloader(bootloader, record)
        _check_same(release, bootloader / f"spboot-{release.board}.bin")
        boot["components"] = _sources(record) + _linked(bootloader, record)
        names |= {"bootloader": boot["bom-ref"]} | {each["name"]: each["bom-ref"] for each in boot["components"]}
        edges += _edges(boot, boot["components"])
        parts.append(boot)
        tools.append(_compiler(record))
    merged = [each for path in merge for each in _merged(path)]
    if merged:
        application["components"] = merged
        names = {str(each["name"]): each["bom-ref"] for each in merged} | names
        edges += _edges(application, merged)
    _check_unique(merged)
    return _document(root, [*parts, *tools], [*_edges(root, parts), *edges], vex_file, names)


def text(document: Document) -> str:
    """*document* as it is written to a file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _document(
    root: Document, components: list[Document], edges: list[Document], vex_file: Path | None, names: dict[str, str]
) -> Document:
    metadata: Document = {}
    if (epoch := os.environ.get("SOURCE_DATE_EPOCH")) is not None:
        metadata["timestamp"] = _time(epoch)
    metadata["tools"] = {"components": [{"type": "application", "name": "spboot", "version": _version()}]}
    metadata["component"] = root
    made: Document = {
        "$schema": f"http://cyclonedx.org/schema/bom-{_SPEC}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": _SPEC,
        "version": 1,
        "metadata": metadata,
        "components": components,
        "dependencies": edges,
        "vulnerabilities": vex.load(vex_file, names) if vex_file else [],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, hashlib.sha256(text(made).encode()).hexdigest())
    return made | {"serialNumber": f"urn:uuid:{serial}"}


def _version() -> str:
    from spboot.builder.bootloader import boot_version

    return str(boot_version())


def _time(epoch: str) -> str:
    try:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise FormatError(f"SOURCE_DATE_EPOCH is {epoch!r}, expected seconds since 1970: set or unset it") from None


def _bootloader(folder: Path, record: BuildRecord) -> Document:
    """Its component.  The hash is that of the .bin, in which its keys are: it is another for each product."""
    _check_sources(folder, record)
    stem = f"spboot-{record.board}"
    return {
        "type": "firmware",
        "bom-ref": f"bootloader:{stem}@{record.spboot}",
        "name": stem,
        "version": record.spboot,
        "description": f"spboot bootloader for {record.board}, with the keys of product {record.product}",
        "hashes": _hashes(_sha256(folder / f"{stem}.bin")),
        "licenses": _OURS,
    }


def _check_same(release: Release, path: Path) -> None:
    """The bootloader in the factory file of *release* is that of the file *path*."""
    for item in release.factory:
        if item.file.endswith(".hex"):
            boot = Secret(disk.read(path))
            if not any(segment.data.startswith(boot) for segment in program.load(release.path(item), 0).segments):
                raise BuildError(
                    f"{path}: {item.file} has another bootloader: give the folder of the one it was made with"
                )


def _check_sources(folder: Path, record: BuildRecord) -> None:
    """The sources of the record are those that are here, so their licences are known."""
    for name, found in record.sources.items():
        path = data_path("firmware") / name
        if not path.is_file() or _sha256(path) != found:
            raise BuildError(
                f"{folder}: its bootloader was built from another {name} than this spboot has: use the spboot "
                f"{record.spboot} that built it, or build it again"
            )


def _sources(record: BuildRecord) -> list[Document]:
    ours = [_file(f"firmware/{name}", f"firmware/{name}", found, _OURS) for name, found in record.sources.items()]
    made = [_file(f"generated/{name}", f"generated/{name}", found, _OURS) for name, found in record.generated.items()]
    for each in made:
        each["properties"] = [{"name": "spboot:generated", "value": "from board, part and formats by spboot build"}]
    return ours + made


def _linked(folder: Path, record: BuildRecord) -> list[Document]:
    """What the link map has beside our objects; none where it has nothing else."""
    path = folder / f"spboot-{record.board}.map"
    found = link_map.read(disk.read(path).decode(errors="replace"), str(path))
    foreign: dict[str, int] = {}
    for name, size in found.inputs.items():
        if not name.startswith(_LINKED):
            library = name.split(".a(")[0]
            foreign[library] = foreign.get(library, 0) + size
    for name in record.unknown:
        foreign.setdefault(name, 0)
    return [_library(name, size, record) for name, size in sorted(foreign.items())]


def _library(name: str, size: int, record: BuildRecord) -> Document:
    made: Document = {"type": "library", "bom-ref": f"linked:{name}", "name": name, "version": "unknown"}
    if name in _LICENCES:
        made["version"] = record.compiler_version
        made["licenses"] = [{"expression": _LICENCES[name]}]
    made["properties"] = [{"name": "spboot:bytes", "value": str(size)}]
    return made


def _compiler(record: BuildRecord) -> Document:
    return {
        "type": "application",
        "bom-ref": f"compiler:{record.compiler}",
        "name": record.compiler,
        "version": record.compiler_version,
        "scope": "excluded",
        "description": "the compiler and linker; no part of the firmware",
    }


def _merged(path: Path) -> list[Document]:
    """The components of a CycloneDX file, with references that are unlike ours."""
    try:
        table = json.loads(disk.read(path))
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{path}: not a JSON file: {error}") from None
    if not isinstance(table, dict) or table.get("bomFormat") != "CycloneDX":
        raise FormatError(f"{path}: bomFormat is not CycloneDX: make a CycloneDX file in JSON")
    return _renamed(table.get("components", []), path)


def _renamed(components: Any, path: Path) -> list[Document]:
    if not isinstance(components, list) or not all(isinstance(c, dict) and c.get("name") for c in components):
        raise FormatError(f"{path}: components is no list of components with names")
    made = []
    for each in components:
        inner = {"components": _renamed(each["components"], path)} if "components" in each else {}
        made.append(each | {"bom-ref": f"merged:{each.get('bom-ref', each['name'])}"} | inner)
    return made


def _refs(components: list[Document]) -> Iterator[str]:
    """Theirs, and those of the components in them."""
    for each in components:
        yield each["bom-ref"]
        yield from _refs(each.get("components", []))


def _check_unique(merged: list[Document]) -> None:
    refs = list(_refs(merged))
    if twice := sorted({ref for ref in refs if refs.count(ref) > 1}):
        raise FormatError(f"two merged components are called {twice[0].removeprefix('merged:')!r}: give one a bom-ref")


def _edges(root: Document, parts: Sequence[Document]) -> list[Document]:
    return [{"ref": root["bom-ref"], "dependsOn": [each["bom-ref"] for each in parts]}]


def _file(ref: str, name: str, sha256: str, licences: list[Document] | None = None) -> Document:
    made: Document = {"type": "file", "bom-ref": ref, "name": name, "hashes": _hashes(sha256)}
    return made | ({"licenses": licences} if licences else {})


def _hashes(sha256: str) -> list[Document]:
    return [{"alg": "SHA-256", "content": sha256}]


def _sha256(path: Path) -> str:
    return hashlib.sha256(disk.read(path)).hexdigest()
