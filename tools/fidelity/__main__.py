"""Makes or checks docs/fidelity.md; see the package."""

from __future__ import annotations

import argparse
import sys

from tools.fidelity import accesses, measure, page


def main() -> int:
    """0, or 1 when --check finds another page."""
    parser = argparse.ArgumentParser(prog="python -m tools.fidelity", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="run boards and tests anew, into accesses.json")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 when the page is not of today")
    options = parser.parse_args()
    if options.measure:
        accesses.save(measure.measured(lambda what: print(what, flush=True)))
    made = page.text(accesses.load())
    if not options.check:
        page.PATH.write_text(made, encoding="utf-8")
    elif made != page.PATH.read_text(encoding="utf-8"):
        print(f"{page.PATH.name} is not what its generator makes: run `make fidelity`", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
