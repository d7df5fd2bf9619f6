"""The port of a tab: what bridge.js is asked for, done at a pseudo-terminal, which is open to one at a time."""

from __future__ import annotations

import base64
import contextlib
import json
import queue
import threading
import time
from pathlib import Path
from typing import Any, Final

import serial

from tests.web.chromium import Chromium, Tab

SCRIPT: Final = Path(__file__).with_name("bridge.js").read_text(encoding="utf-8")
BINDING: Final = "spbootBridge"
_LOOK_S: Final = 0.01


class Bridge:
    """The device at *path*, for a tab of its own."""

    def __init__(self, browser: Chromium, path: str) -> None:
        self.path = path
        self.written = bytearray()
        """All that the page sent."""
        self._port: serial.Serial | None = None
        self._asked: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self.tab: Tab = browser.open(SCRIPT, BINDING)
        self.tab.on_call = lambda payload: self._asked.put(json.loads(payload))
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._serve, self._listen)]
        for thread in self._threads:
            thread.start()

    def pull(self) -> None:
        """Pull the cable out."""
        self._close()
        self.tab.evaluate("bridge.lost()")

    def plug(self, path: str) -> None:
        """The cable is in another device."""
        self.path = path

    def close(self) -> None:
        self._stop.set()
        self._asked.put(None)
        for thread in self._threads:
            thread.join(10)
        self._close()
        self.tab.close()

    def _close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            port.close()

    def _serve(self) -> None:
        while (asked := self._asked.get()) is not None:
            error = None
            try:
                getattr(self, f"_do_{asked['what']}")(asked)
            except (OSError, TypeError):  # as Chromium says it, whatever the reason; it may be pulled meanwhile
                error = ["NetworkError", "Failed to execute 'open' on 'SerialPort': Failed to open serial port."]
            self._tell(f"bridge.answer({asked['id']}, {json.dumps(error)})")

    def _tell(self, expression: str) -> None:
        """Have it done in the page, which may be busy with a dialog: no byte is lost for that."""
        while not self._stop.is_set():
            try:
                self.tab.call("Runtime.evaluate", expression=expression)
                return
            except AssertionError:
                time.sleep(_LOOK_S)

    def _do_open(self, asked: dict[str, Any]) -> None:
        self._port = serial.Serial(self.path, asked["baud"], timeout=0, exclusive=True)

    def _do_write(self, asked: dict[str, Any]) -> None:
        data, port = base64.b64decode(asked["data"]), self._port
        if port is None:
            raise OSError("the cable is pulled")
        self.written += data
        port.write(data)

    def _do_close(self, _: dict[str, Any]) -> None:
        self._close()

    def _listen(self) -> None:
        while not self._stop.wait(_LOOK_S):
            data, port = b"", self._port
            with contextlib.suppress(OSError, TypeError):  # it is closed meanwhile
                data = port.read(4096) if port is not None else b""
            if data:
                text = base64.b64encode(data).decode()
                self._tell(f"bridge.bytes('{text}')")
