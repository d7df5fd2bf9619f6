"""A Chromium without a screen, driven by the DevTools protocol over its pipe: no driver, no port, no package."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
_WAIT_S: Final = 60.0
"""A browser that says nothing for so long hangs."""
_LOOK_S: Final = 0.02
_OPTIONS: Final = (
    *(
        "--remote-debugging-pipe",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-gpu",
        "--disable-lcd-text",
    ),
    *("--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--hide-scrollbars", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"),
)
Event = dict[str, Any]


def found() -> str:
    """The program; fails where there is none."""
    path = next((path for name in NAMES if (path := shutil.which(name))), None)
    assert path, "chromium is not installed: make tools"
    return path


class Chromium:
    """One browser with a profile of its own in *folder*, with *environment* beside that of this process, started by
    *command*; without a screen unless *environment* has one."""

    def __init__(
        self, folder: Path, *, environment: Mapping[str, str] | None = None, command: Sequence[str] = ()
    ) -> None:
        reader, self._to = os.pipe()
        self._from, writer = os.pipe()
        rights = ["--no-sandbox"] if os.getuid() == 0 else []  # root may have no sandbox
        shown = [] if "DISPLAY" in (environment or {}) else ["--headless"]
        program = [*command, found(), *_OPTIONS, *shown, *rights, f"--user-data-dir={folder}", "about:blank"]
        # The browser's ends are its descriptors 3 and 4.
        script = f'exec "$@" 3<&{reader} 4>&{writer}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", *program], pass_fds=(reader, writer), stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, start_new_session=True, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        os.close(reader)
        os.close(writer)
        self._count = 0
        self._lock = threading.Lock()
        self._answers: dict[int, queue.SimpleQueue[Event]] = {}
        self._heard: dict[str, Callable[[str, Event], None]] = {}
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def call(self, method: str, session: str = "", **parameters: Any) -> Event:
        """What the browser answers; fails at an error, and when nothing comes."""
        answer: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self.post(method, session, answer, **parameters)
        try:
            said = answer.get(timeout=_WAIT_S)
        except queue.Empty:
            raise AssertionError(f"{method}: no answer in {_WAIT_S} s") from None
        assert "error" not in said, f"{method}: {said['error']}"
        result: Event = said["result"]
        return result

    def post(
        self, method: str, session: str = "", answer: queue.SimpleQueue[Event] | None = None, **parameters: Any
    ) -> None:
        """Send a command, and wait for nothing."""
        with self._lock:
            self._count += 1
            if answer is not None:
                self._answers[self._count] = answer
            message = {"id": self._count, "method": method, "params": parameters}
            data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
            while data:
                data = data[os.write(self._to, data) :]

    def open(self, before: str = "", binding: str = "") -> Tab:
        """An empty tab, whose pages find *before* done, and call Python by the function *binding*."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        tab = Tab(self, session, target)
        self._heard[session] = tab.heard
        for domain in ("Page", "Runtime", "DOM"):
            self.call(f"{domain}.enable", session)
        if binding:
            self.call("Runtime.addBinding", session, name=binding)
        if before:
            self.call("Page.addScriptToEvaluateOnNewDocument", session, source=before)
        return tab

    def _listen(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := os.read(self._from, 1 << 16):
                *whole, rest = (rest + data).split(b"\0")
                for text in whole:
                    self._take(json.loads(text))

    def _take(self, message: Event) -> None:
        if "id" in message:
            answer = self._answers.pop(message["id"], None)
            if answer is not None:
                answer.put(message)
        elif hear := self._heard.get(message.get("sessionId", "")):
            hear(message["method"], message["params"])

    def close(self) -> None:
        """End it, by force where it does not."""
        with contextlib.suppress(OSError):
            self.post("Browser.close")
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        os.close(self._to)
        self._thread.join(10)
        os.close(self._from)


class Tab:
    """One tab; selectors are those of CSS."""

    def __init__(self, browser: Chromium, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self.on_call: Callable[[str], None] = lambda payload: None
        """What the page says by its binding."""
        self.dialogs: list[str] = []
        """Kinds of the dialogs that were shown, which are all declined."""
        self.problems: list[str] = []
        """Exceptions that nobody caught, and errors on the console, as what the content security policy forbids."""

    def call(self, method: str, **parameters: Any) -> Event:
        return self._browser.call(method, self._session, **parameters)

    def post(self, method: str, **parameters: Any) -> None:
        self._browser.post(method, self._session, **parameters)

    def heard(self, method: str, event: Event) -> None:
        """In the browser's thread: nothing here waits."""
        if method == "Runtime.bindingCalled":
            self.on_call(event["payload"])
        elif method == "Page.javascriptDialogOpening":
            self.dialogs.append(event["type"])
            self.post("Page.handleJavaScriptDialog", accept=False)
        elif method == "Runtime.exceptionThrown":
            self.problems.append(str(event["exceptionDetails"].get("exception", event)))
        elif method == "Runtime.consoleAPICalled" and event["type"] == "error":
            self.problems.append(str(event["args"]))

    def go(self, url: str) -> None:
        """Load a page; returns when it is there."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def evaluate(self, expression: str) -> Any:
        """Its value, also of a promise."""
        said = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in said, said["exceptionDetails"]
        return said["result"].get("value")

    def wait(self, expression: str, seconds: float = _WAIT_S) -> None:
        """Until it is true."""
        end = time.monotonic() + seconds
        while not self.evaluate(expression):
            assert time.monotonic() < end, (
                f"{expression} is not so in {seconds} s: {self.evaluate('document.body.innerText')}"
            )
            time.sleep(_LOOK_S)

    def text(self, selector: str) -> str:
        return str(self.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))

    def click(self, selector: str) -> None:
        """By the mouse, so that it counts as a person's doing."""
        place = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"!{place}.disabled && !{place}.hidden")
        self.evaluate(f"{place}.scrollIntoView({{block: 'center'}})")
        box = self._box(selector)
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def fill(self, selector: str, value: str) -> None:
        self.evaluate(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(value)}")

    def choose(self, selector: str, *files: Path) -> None:
        """Files, as by the dialog of a file input."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(path) for path in files])

    def drop(self, selector: str, *files: Path) -> None:
        """Drag files there and let go of them."""
        box = self._box(selector)
        x, y = box["x"] + 5, box["y"] + 5
        data = {"items": [], "files": [str(path) for path in files], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", "drop"):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def picture(self, selector: str) -> bytes:
        """A PNG of an element."""
        self.evaluate("scrollTo(0, 0)")
        box = self._box(selector)
        said = self.call("Page.captureScreenshot", format="png", clip={**box, "scale": 1}, captureBeyondViewport=True)
        return base64.b64decode(said["data"])

    def _box(self, selector: str) -> dict[str, float]:
        """Where an element is."""
        place = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        found: dict[str, float] = self.evaluate(f"(({{x, y, width, height}}) => ({{x, y, width, height}}))({place})")
        return found

    def close(self) -> None:
        self._browser.post("Target.closeTarget", targetId=self._target)


@contextlib.contextmanager
def chromium(
    folder: Path, *, environment: Mapping[str, str] | None = None, command: Sequence[str] = ()
) -> Iterator[Chromium]:
    """A browser that does not outlive its use."""
    browser = Chromium(folder, environment=environment, command=command)
    try:
        yield browser
    finally:
        browser.close()
