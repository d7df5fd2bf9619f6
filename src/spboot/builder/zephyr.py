"""The devicetree overlay that puts a Zephyr application behind the bootloader: the places of image and slots."""

from __future__ import annotations

from collections.abc import Iterator

from spboot.boards import Area, Board
from spboot.boards.layout import flash_layout

_TEXT = """\
/* {board} behind spboot: made by `spboot zephyr-overlay`, for the folder boards/ of a Zephyr application.
 * The partitions of Zephyr's own board file are not those of the bootloader, and are removed.
 * Free for partitions of your own, seen from the start of the flash: {free}. */
/ {{
	chosen {{
		zephyr,code-partition = &slot0_partition;
	}};
}};

&flash0 {{
	/delete-node/ partitions;

	partitions {{
		compatible = "fixed-partitions";
		#address-cells = <1>;
		#size-cells = <1>;

{partitions}
	}};
}};
"""
_PARTITION = """\
		{node}: partition@{offset:x} {{
			label = "{label}";
			reg = <{offset:#x} {size:#x}>;{read_only}
		}};"""


def zephyr_overlay(board: Board) -> str:
    """Text of a devicetree overlay for an application of Zephyr on *board*: `boards/<Zephyr's name of it>.overlay`.

    Its nodes are `slot0_partition`, which is the image's place without the header in front of it, `boot_partition`,
    `slot0_header_partition`, `slot1_partition` and `journal_partition`; not what is in external flash.

    >>> text = zephyr_overlay(Board.load("NUCLEO-L476RG"))
    >>> "slot0_partition: partition@8200" in text
    True
    """
    start = min(run.address for run in board.chip.flash)
    parts = [
        _PARTITION.format(
            node=f"{node}_partition",
            label=label,
            offset=area.address - start,
            size=area.size,
            read_only="\n\t\t\tread-only;" if node in ("boot", "slot0_header") else "",
        )
        for node, label, area in sorted(_partitions(board), key=lambda part: part[2].address)
    ]
    spans = [span.area for part in flash_layout(board) if not part.outside for span in part.spans if not span.name]
    free = ", ".join(f"{area.address - start:#x} to {area.end - start - 1:#x}" for area in spans)
    return _TEXT.format(
        board=board.name,
        free=free or "nothing",
        partitions="\n\n".join(parts),
    )


def _partitions(board: Board) -> Iterator[tuple[str, str, Area]]:
    """Name of the node, label, place."""
    yield "boot", "spboot", board.bootloader
    yield "slot0_header", "image-0-header", Area(address=board.slot0.address, size=board.vector_size)
    yield "slot0", "image-0", Area(address=board.image_address, size=board.image_capacity)
    if board.slot1 and not board.sealed:
        yield "slot1", "image-1", board.slot1
    if board.journal:
        yield "journal", "spboot-journal", board.journal
