# spboot_script.py - the script of spboot for PlatformIO: it is with spboot, which says where.
import subprocess
from pathlib import Path

Import("env")

SPBOOT = env.GetProjectOption("custom_spboot", "spboot")
try:
    said = subprocess.run((SPBOOT, "cmake-dir"), check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout
except OSError:
    raise SystemExit(f'{SPBOOT}: no such command: pip install "spboot[build]", or set custom_spboot') from None
env.SConscript(str(Path(said.strip()) / "platformio.py"), exports="env")
