"""python -m bench.links: what slow links mean for the patches of docs/delta.md.  With --write into docs/links.md."""

from __future__ import annotations

import argparse
import sys

from bench.links import page
from bench.told import told


@told
def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.links", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write docs/links.md")
    if parser.parse_args().write:
        text = page.replaced(page.PAGE.read_text(encoding="utf-8"))
        page.PAGE.write_text(text, encoding="utf-8")
    else:
        print(page.section())
    return 0


if __name__ == "__main__":
    sys.exit(main())
