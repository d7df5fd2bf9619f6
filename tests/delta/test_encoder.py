"""The native encoder: the same everywhere, can be stopped, tells how far it is; and how its library is kept."""

from __future__ import annotations

import ctypes
import hashlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spboot import delta
from spboot.delta import compilation, encoder, library
from spboot.errors import BuildError, FormatError

from .code import noise
from .images import code_pair

_ENCODE = """
import hashlib
from spboot import delta
from tests.delta.images import code_pair
print(hashlib.sha256(delta.encode(*code_pair(20_000), base=0x08008200)).hexdigest())
"""
_STREAM_HASH = "652430d027366ab097e6ee3d0e3a21e2b4306f790d60252620dec6693504ce83"
_ROOT = Path(__file__).parents[2]


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A Python of its own, in the root of the checkout."""
    return subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | environment,
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )


def test_the_stream_is_the_recorded_one() -> None:
    """Any change of it is a change of the encoder; compiler, system and Python change nothing."""
    assert hashlib.sha256(delta.encode(*code_pair(20_000), base=0x08008200)).hexdigest() == _STREAM_HASH


@pytest.mark.parametrize("seed", ["1", "2"])
def test_the_same_in_another_process(seed: str) -> None:
    assert run(_ENCODE, PYTHONHASHSEED=seed).stdout.strip() == _STREAM_HASH


def test_progress_grows_to_its_total() -> None:
    calls: list[tuple[int, int]] = []
    delta.encode(b"", noise(70_000, "p"), lambda done, total: calls.append((done, total)))
    assert len(calls) > 3
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)
    assert len({total for _, total in calls}) == 1
    assert calls[-1][0] == calls[-1][1]


def test_an_exception_of_progress_ends_the_work() -> None:
    calls = 0

    def progress(done: int, total: int) -> None:
        nonlocal calls
        calls += 1
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        delta.encode(b"", noise(200_000, "stop"), progress)
    assert calls == 1


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to oneself")
def test_interrupt() -> None:
    """Ctrl-C, once the work has begun."""
    image = noise(3_000_000, "interrupt")
    calls: list[int] = []

    def progress(done: int, total: int) -> None:
        if not calls:
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        calls.append(done)

    with pytest.raises(KeyboardInterrupt):
        delta.encode(b"", image, progress)
    assert calls[-1] < 4 * len(image)


def test_counts_are_those_of_the_stream() -> None:
    old, new = code_pair(20_000)
    counts = encoder.count(old, new, 0x08008200)
    assert len(counts) == library.load().spb_encode_models()
    flags = sum(zeros + ones for zeros, ones in counts)
    assert flags > 8 * len(delta.encode(old, new, base=0x08008200))  # most decisions cost less than a bit


def test_refuses_what_it_cannot_take() -> None:
    with pytest.raises(FormatError, match="base is"):
        delta.encode(b"a", b"b", base=1 << 32)


def test_a_wrong_stream_is_not_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoder, "attempt", lambda *_, **__: (0, b"another"))
    with pytest.raises(AssertionError, match="does not decode"):
        delta.encode(b"", b"new")


# --- the library's file ---


ONE = '__attribute__((visibility("default"))) int one(void);\nint one(void) { return 1; }\n'


@pytest.fixture(scope="session")
def zig(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ziglang keeps from one compilation to the next."""
    return str(tmp_path_factory.mktemp("zig"))


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, zig: str) -> Path:
    """An empty cache, and a library that is quick to compile."""
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", zig)
    monkeypatch.setattr(library, "cache_folder", lambda: tmp_path / "spboot")
    monkeypatch.setattr(compilation, "sources", lambda: {"one.c": ONE.encode()})
    return tmp_path / "spboot"


def test_made_once(fresh: Path, caplog: pytest.LogCaptureFixture) -> None:
    first = library._file()
    assert ctypes.CDLL(str(first)).one() == 1
    assert "compiling" in caplog.text
    caplog.clear()
    assert library._file() == first
    assert not caplog.text
    assert [path.name for path in fresh.iterdir()] == [first.name]
    if sys.platform != "win32":
        assert fresh.stat().st_mode & 0o777 == 0o700


def test_other_sources_are_another_file(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = library._file()
    monkeypatch.setattr(compilation, "sources", lambda: {"two.c": b"int two(void); int two(void) { return 2; }\n"})
    assert library._file() != first


@pytest.mark.parametrize(
    "damage", [lambda data: data[:-1], lambda data: data[:100] + b"?" + data[101:], lambda data: b""]
)
def test_a_damaged_file_is_made_again(fresh: Path, damage) -> None:  # type: ignore[no-untyped-def]
    first = library._file()
    first.write_bytes(damage(first.read_bytes()))
    again = library._file()
    assert ctypes.CDLL(str(again)).one() == 1
    assert again.name == library._name(library._key(compilation.sources()), again.read_bytes())


def test_a_folder_open_to_others_is_not_used(fresh: Path, caplog: pytest.LogCaptureFixture) -> None:
    fresh.mkdir()
    fresh.chmod(0o777)
    assert fresh not in library._file().parents
    assert "others may write" in caplog.text
    assert not list(fresh.iterdir())


def test_a_home_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: Path) -> None:
    """A file where the folder should be: works also when the tests run as root, who may write anywhere."""
    (tmp_path / "spboot").write_text("in the way")
    file = library._file()
    assert ctypes.CDLL(str(file)).one() == 1
    assert tmp_path not in file.parents


def test_a_compiler_that_fails_says_so(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compilation, "sources", lambda: {"bad.c": b"this is not C\n"})
    with pytest.raises(BuildError, match=r"cannot be compiled.*(?s:.*)bad\.c"):
        library._file()
    assert not list(fresh.iterdir())


def test_two_processes_at_once(tmp_path: Path, zig: str) -> None:
    """Both find nothing, both compile, both load what works."""
    program = f"""
from pathlib import Path
import ctypes, sys
from spboot.delta import compilation, library
library.cache_folder = lambda: Path(sys.argv[1]) / "spboot"
compilation.sources = lambda: {{"one.c": {ONE.encode()!r}}}
print(ctypes.CDLL(str(library._file())).one())
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    environment = os.environ | {"ZIG_GLOBAL_CACHE_DIR": zig}
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=_ROOT, env=environment, text=True) for _ in range(2)]
    assert [process.communicate()[0].strip() for process in both] == ["1", "1"]
    assert [process.returncode for process in both] == [0, 0]
    assert len(list((tmp_path / "spboot").iterdir())) in (1, 2)  # 2: the compiler does not repeat itself
