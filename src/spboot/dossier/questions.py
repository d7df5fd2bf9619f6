"""Questions of standards about secure update and secure boot, in our own words, and the claims that speak to them.

Clauses are cited where they could be checked: EN 303 645 by its provisions (numbers of V2.1.1, and of V3.1.3 where they
differ), EN 18031-1:2024 by its requirements.  EN 304 623 is a draft (V0.1.3, June 2026): its topics are named, as its
clauses may still change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_UPDATES: Final = ("update-",)
_REFUSALS: Final = ("refuse-",)
_BOOT: Final = ("starts", "boot-")
_CUTS: Final = ("cuts-",)
_EN_303_645: Final = "ETSI EN 303 645"
_EN_18031: Final = "EN 18031-1:2024"
_EN_304_623: Final = "ETSI EN 304 623, draft V0.1.3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """*claims*: beginnings of the ids of claims that speak to it; they are evidence, and no answer for a product."""

    standard: str
    clause: str
    words: str
    claims: tuple[str, ...]


def _ask(standard: str, clause: str, words: str, *claims: str) -> Question:
    return Question(standard=standard, clause=clause, words=words, claims=claims)


ALL: Final = (
    _ask(_EN_303_645, "5.3-2", "Can updates be installed securely?", *_UPDATES, *_REFUSALS, *_CUTS),
    _ask(_EN_303_645, "5.3-7", "What cryptography protects updates?", "signatures", "refuse-unsigned", "keys"),
    _ask(
        _EN_303_645,
        "5.3-9",
        "Does the device itself check that an update is authentic and whole?",
        "signatures",
        *_REFUSALS,
    ),
    _ask(
        _EN_303_645,
        "5.3-10",
        "Where updates come over a network: by what trust relationship does the device check each?",
        "signatures",
        "refuse-other-key",
        "refuse-unsigned",
        "keys",
    ),
    _ask(
        _EN_303_645,
        "5.6-4 (V3.1.3: 5.6-4A)",
        "Is the debug interface closed in devices that are sold?",
        "protection",
    ),
    _ask(_EN_303_645, "5.7-1", "Does the device check its software when it starts?", *_BOOT),
    _ask(_EN_303_645, "5.9-2", "Does the device recover cleanly when power comes back?", *_CUTS),
    _ask(_EN_18031, "SUM-1", "Is there a mechanism to update the software?", *_UPDATES),
    _ask(
        _EN_18031,
        "SUM-2",
        "Does the mechanism install only software whose integrity and authenticity it has checked?",
        *_UPDATES,
        *_REFUSALS,
        *_BOOT,
    ),
    _ask(
        _EN_18031,
        "GEC-1",
        "What is known of exploitable weaknesses of the components? (The bill names the components; whoever makes the "
        "product looks them up.)",
        "sbom",
    ),
    _ask(_EN_304_623, "verified boot", "Is the next stage verified before it runs?", *_BOOT),
    _ask(_EN_304_623, "secure update", "Are updates authorised and verified?", *_UPDATES, *_REFUSALS),
    _ask(
        _EN_304_623,
        "anti-rollback",
        "Is an older version refused?",
        "refuse-older-version",
        "refuse-same-version",
        "boot-version",
    ),
    _ask(_EN_304_623, "atomic update and recovery", "What does an interrupted update leave?", *_CUTS),
    _ask(_EN_304_623, "trust anchors", "Which keys does the device trust?", "keys", "boot-other-key"),
    _ask(_EN_304_623, "debug interfaces", "How is access by a debugger closed?", "protection"),
    _ask(_EN_304_623, "components", "What is the bootloader made of?", "sbom", "bootloader-reproducible"),
)

LIMITS: Final = (
    "All runs on a device were on the twin, an emulated chip, and none on silicon: what the twin models, and what not, "
    "is in docs/fidelity.md and docs/faults.md of spboot.",
    "The application was started and not judged: what it does, which interfaces it opens and how it calls for updates "
    "is outside of this dossier. Updates went through the loader of the bootloader.",
    "Attacks on the chip itself (debugger on an open part, glitches, side channels) were not run; docs/security.md of "
    "spboot says what is promised against them.",
    "The version floor is the version in flash: there is no counter elsewhere. Who can write flash can take it away.",
    "A sweep is a sample of moments of a power cut, as many as it says; spboot's own tests sweep every operation.",
    "Claims are evidence for a conformity file. They do not say that a product conforms to a standard.",
)
"""What holds for every dossier."""


def answers(question: Question, ids: list[str]) -> list[str]:
    """Those of the claims *ids* that speak to *question*, in their order."""
    return [name for name in ids if any(name == each or _is_group(name, each) for each in question.claims)]


def _is_group(name: str, claim: str) -> bool:
    return claim.endswith("-") and name.startswith(claim)
