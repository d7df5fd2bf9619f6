"""Makes the database of goosebit, or brings it to the version that is installed: once before the server starts.

Its own instructions do so in a clone, where aerich finds its configuration; this is for goosebit as pip installs it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import goosebit
from aerich import Command
from goosebit.db.config import TORTOISE_CONF


async def main() -> None:
    migrations = Path(goosebit.__file__).parent / "db" / "migrations"
    command = Command(tortoise_config=TORTOISE_CONF, app="models", location=str(migrations))
    await command.init()
    await command.upgrade(run_in_transaction=True)
    await command.aclose()


if __name__ == "__main__":
    asyncio.run(main())
