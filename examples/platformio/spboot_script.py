# spboot_script.py - the script of spboot for PlatformIO: it is with spboot, which says where.
import os
import subprocess

Import("env")  # noqa: F821

SPBOOT = env.GetProjectOption("custom_spboot", "spboot")  # noqa: F821
try:
    folder = subprocess.run((SPBOOT, "cmake-dir"), check=True, stdout=subprocess.PIPE, encoding="utf-8").stdout.strip()
except OSError:
    raise SystemExit(SPBOOT + ": no such command: pip install \"spboot[build]\", or custom_spboot in platformio.ini") from None
env.SConscript(os.path.join(folder, "platformio.py"), exports="env")  # noqa: F821
