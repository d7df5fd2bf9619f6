"""spboot: secure patching bootloader and firmware update system for STM32 microcontrollers.

All of it that a script or a test needs is here (docs/python.md).  What needs the compiler or the emulator is imported
when it is first used, so a machine that only signs needs neither.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from spboot.errors import (
    AuthenticationError,
    BoardError,
    BuildError,
    DeviceError,
    ExtraError,
    FormatError,
    KeyFolderError,
    LinkError,
    ProjectError,
    SignerError,
    SpbootError,
    TwinError,
    VersionError,
)

if TYPE_CHECKING:
    from spboot.boards import Board
    from spboot.builder.bootloader import Bootloader, build
    from spboot.builder.merge import merge
    from spboot.builder.zephyr import zephyr_overlay
    from spboot.device import Device
    from spboot.device.protection import Protection, protection
    from spboot.explanation import Explanation, explain
    from spboot.formats.program import Program
    from spboot.gitversion import GitVersion, git_version
    from spboot.image import Image
    from spboot.inspection import inspect
    from spboot.keys import Keys, Signer
    from spboot.linkage import Linkage, prebuild
    from spboot.making import Making, postbuild
    from spboot.project import Project
    from spboot.rehearsal import Rehearsal, Subject, rehearse
    from spboot.release import Report, full_image, patch, verify
    from spboot.releases import Release
    from spboot.version import Version

__all__ = [
    "AuthenticationError",
    "Board",
    "BoardError",
    "Bootloader",
    "BuildError",
    "Device",
    "DeviceError",
    "Explanation",
    "ExtraError",
    "FormatError",
    "GitVersion",
    "Image",
    "KeyFolderError",
    "Keys",
    "LinkError",
    "Linkage",
    "Making",
    "Program",
    "Project",
    "ProjectError",
    "Protection",
    "Rehearsal",
    "Release",
    "Report",
    "Signer",
    "SignerError",
    "SpbootError",
    "Subject",
    "TwinError",
    "Version",
    "VersionError",
    "build",
    "explain",
    "full_image",
    "git_version",
    "inspect",
    "merge",
    "patch",
    "postbuild",
    "prebuild",
    "protection",
    "rehearse",
    "verify",
    "zephyr_overlay",
]

_HOMES = {
    "Board": "spboot.boards",
    "Bootloader": "spboot.builder.bootloader",
    "Device": "spboot.device",
    "Explanation": "spboot.explanation",
    "GitVersion": "spboot.gitversion",
    "Image": "spboot.image",
    "Keys": "spboot.keys",
    "Linkage": "spboot.linkage",
    "Making": "spboot.making",
    "Program": "spboot.formats.program",
    "Project": "spboot.project",
    "Protection": "spboot.device.protection",
    "Rehearsal": "spboot.rehearsal",
    "Release": "spboot.releases",
    "Report": "spboot.release",
    "Signer": "spboot.keys",
    "Subject": "spboot.rehearsal",
    "Version": "spboot.version",
    "build": "spboot.builder.bootloader",
    "explain": "spboot.explanation",
    "full_image": "spboot.release",
    "git_version": "spboot.gitversion",
    "inspect": "spboot.inspection",
    "merge": "spboot.builder.merge",
    "patch": "spboot.release",
    "postbuild": "spboot.making",
    "prebuild": "spboot.linkage",
    "protection": "spboot.device.protection",
    "rehearse": "spboot.rehearsal",
    "verify": "spboot.release",
    "zephyr_overlay": "spboot.builder.zephyr",
}
"""Name -> the module that it is imported from when it is first asked for (PEP 562)."""

if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name not in _HOMES:
            raise AttributeError(f"module 'spboot' has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
