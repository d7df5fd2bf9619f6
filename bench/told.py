"""How a measurement ends: what it refuses is a sentence, and exit code 1."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable

from spboot.errors import SpbootError


def told(main: Callable[[], int]) -> Callable[[], int]:
    """*main*, the exit code of a program, without the traceback of an error of ours."""

    @functools.wraps(main)
    def ended() -> int:
        try:
            return main()
        except SpbootError as error:
            print(f"bench: {error}", file=sys.stderr)
            return 1

    return ended
