"""Makes the database of goosebit, or brings it to the version that is installed: once before the server starts.

Its own instructions do so in a clone, where aerich finds its configuration; this is for goosebit as pip installs it.
It also makes the row that every new device begins with: devices that come at the same moment would make several, and
goosebit 0.2.12 finds none of them then."""

from __future__ import annotations

import asyncio
from pathlib import Path

import goosebit
from aerich import Command
from goosebit import db
from goosebit.db.config import TORTOISE_CONF
from goosebit.db.models import Hardware


async def main() -> None:
    migrations = Path(goosebit.__file__).parent / "db" / "migrations"
    command = Command(tortoise_config=TORTOISE_CONF, app="models", location=str(migrations))
    await command.init()
    await command.upgrade(run_in_transaction=True)
    await command.aclose()
    assert await db.init()
    await Hardware.get_or_create(model="default", revision="default")
    await db.close()


if __name__ == "__main__":
    asyncio.run(main())
