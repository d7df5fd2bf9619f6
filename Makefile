# One task file for laptop and CI.  A fresh Debian 12 with git, make, python3 and python3-venv is enough for `make demo`.
PY := .venv/bin/python
STAMP := .venv/.installed
DEVELOPER := .venv/.developer
BENCH := bench/delta
BOARD := NUCLEO-L476RG
FUZZ_SECONDS := 60
LOCK := --quiet --all-build-deps --allow-unsafe --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	--strip-extras --generate-hashes
PYTEST := $(PY) -m pytest -n 2 --dist worksteal
# Tests start Python a thousand times: where this is set, each would compile spboot anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help venv dev tools demo check test soak fuzz fuzz-tools proof proof-tools goosebit bench fidelity docs docs-links costs chips chips-check wheels boards-files release lock clean

help:
	@echo "make venv    .venv with spboot and all it needs: 540 MB"
	@echo "make demo    bootloader, demo application and two updates on the emulated board: spboot demo; BOARD=LAMP.toml for your own"
	@echo "make check   lint, types, import rules, tests/host and tests/delta: two or three minutes, on a busy machine more"
	@echo "make test    everything CI runs: make tools, make check, all tests but the long sweeps; some 25 minutes on two cores"
	@echo "make dev     what check and test need beyond venv: 390 MB more"
	@echo "make soak    the long sweeps"
	@echo "make goosebit  a server of updates for the test of 500 devices, in build/goosebit: 165 MB"
	@echo "make fuzz    libFuzzer on the parsers, FUZZ_SECONDS for each of eight fuzzers"
	@echo "make proof   CBMC on the parsers: every proof, then every planted bug; minutes (docs/proof.md)"
	@echo "make bench   patch sizes next to other tools and cycles of decoding, into docs/delta.md; limits of budgets.toml"
	@echo "make fidelity  which registers of the twin the bootloaders and its tests access, into docs/fidelity.md: five minutes"
	@echo "make docs    the documents as a site with a search that needs no net, into out/site; a warning is an error"
	@echo "make costs   seconds of an update on each board, measured on its twin, for the site: BOARDS=\"NAME ...\" for some; half an hour"
	@echo "make docs-links  ask the net whether the addresses in it are there"
	@echo "make chips   facts of parts and registers out of the pinned revision of the open part data: CLONE=folder of its clone"
	@echo "make wheels  wheels for Linux, macOS and Windows, and one for any system, into out/wheels: minutes the first time"
	@echo "make boards-files  what somebody with a board needs to try it, for each into out/boards: BOARDS=\"NAME ...\" for some; minutes"
	@echo "make release  what goes with a release of spboot itself, into out/release: wheels, files of boards, releases of the demo, their page and dossier"
	@echo "make tools   what the tests need beyond Python, by apt-get (root); npm alone is some 300 Debian packages"
	@echo "make lock    renew requirements.lock and requirements-dev.lock"

venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

dev: $(DEVELOPER)

$(DEVELOPER): requirements-dev.lock $(STAMP)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@

# lrzsz, GCC and gdb are peers in the tests, OpenOCD and st-flash are told what to program there; gcc compiles the portable
# core for the host; xdelta3 and zstd are peers in the benchmark; cmake and ninja build the examples, dtc reads the overlay of
# one.  SoftHSM is a token in software, and opensc brings pkcs11-tool, which talks to it.  npm fetches real firmware, once: it
# alone is some 300 packages of Debian.  dosfstools, exfatprogs, mtools and fdisk make images of USB sticks, chromium opens the page of
# `spboot web`: 115 MB to fetch, 415 MB here; its list of ports is seen on the screen of xvfb by the keys of xdotool, 8 MB.  libslirp0 and curl are the network of `spboot twin --net`.  No C library for
# Arm is among them: our firmware needs none; an application of your own may (libnewlib-arm-none-eabi).
tools:
	@need=""; \
	command -v gcc >/dev/null || need="$$need gcc libc6-dev"; \
	command -v arm-none-eabi-gcc >/dev/null || need="$$need gcc-arm-none-eabi"; \
	command -v sb >/dev/null || need="$$need lrzsz"; \
	command -v gdb-multiarch >/dev/null || command -v arm-none-eabi-gdb >/dev/null || need="$$need gdb-multiarch"; \
	command -v softhsm2-util >/dev/null || need="$$need softhsm2"; \
	command -v pkcs11-tool >/dev/null || need="$$need opensc"; \
	command -v openssl >/dev/null || need="$$need openssl"; \
	command -v openocd >/dev/null || need="$$need openocd"; \
	command -v st-flash >/dev/null || need="$$need stlink-tools"; \
	command -v cmake >/dev/null || need="$$need cmake"; \
	command -v ninja >/dev/null || need="$$need ninja-build"; \
	command -v dtc >/dev/null || need="$$need device-tree-compiler"; \
	command -v npm >/dev/null || need="$$need npm"; \
	command -v mkfs.vfat >/dev/null || test -x /sbin/mkfs.vfat || need="$$need dosfstools"; \
	command -v mkfs.exfat >/dev/null || test -x /sbin/mkfs.exfat || need="$$need exfatprogs"; \
	command -v mcopy >/dev/null || need="$$need mtools"; \
	command -v sfdisk >/dev/null || test -x /sbin/sfdisk || need="$$need fdisk"; \
	command -v chromium >/dev/null || need="$$need chromium"; \
	command -v Xvfb >/dev/null || need="$$need xvfb"; \
	command -v xdotool >/dev/null || need="$$need xdotool"; \
	command -v curl >/dev/null || need="$$need curl"; \
	ls /usr/lib/*/libslirp.so.0 >/dev/null 2>&1 || need="$$need libslirp0"; \
	command -v xdelta3 >/dev/null || need="$$need xdelta3"; \
	command -v zstd >/dev/null || need="$$need zstd"; \
	if [ -n "$$need" ]; then echo "installing$$need"; apt-get update -qq && apt-get install -qq -y --no-install-recommends $$need; fi

demo: venv
	.venv/bin/spboot demo $(BOARD) --output out/demo

check: dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/lint-imports
	.venv/bin/mypy & types=$$!; $(PYTEST) -q -m "not soak" tests/host tests/delta; tests=$$?; wait $$types && exit $$tests

test: dev tools check
	$(PYTEST) -q -m "not soak" tests/core tests/formats tests/crypto tests/usb tests/fuzz tests/proof tests/twin tests/qemu tests/system tests/web tests/integrations tests/upgrade

soak: dev tools fuzz-tools proof-tools goosebit
	$(PYTEST) -q -m soak tests
	$(MAKE) fuzz FUZZ_SECONDS=1800

# clang has libFuzzer; zig does not.  Some 60 MB, for these alone.
fuzz-tools:
	@command -v clang >/dev/null || \
	  { apt-get update -qq && apt-get install -qq -y --no-install-recommends clang libclang-rt-14-dev; }

fuzz: dev tools fuzz-tools
	$(PY) -m tests.fuzz --seconds $(FUZZ_SECONDS)

# 26 MB to fetch.  Debian 12 has no cbmc: 30 MB of Debian 13 in build/cbmc, and the list of its packages while they are fetched.
proof-tools:
	@command -v cbmc >/dev/null || test -x build/cbmc/cbmc || sh tests/proof/get_cbmc.sh build/cbmc

proof: dev tools proof-tools
	$(PY) -m tests.proof
	$(PY) -m tests.proof --planted

# A server of updates, for one test (docs/fleet.md): 165 MB in a venv of its own.
build/goosebit/.installed: tests/integrations/goosebit.txt
	python3 -m venv build/goosebit
	build/goosebit/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

goosebit: build/goosebit/.installed

# The peers have a venv of their own.  One line at a time: what does not install is missing in the table, and said there.
$(BENCH)/.venv/.installed: $(BENCH)/requirements.txt
	python3 -m venv $(BENCH)/.venv
	grep -v '^#' $< | xargs -n 1 $(BENCH)/.venv/bin/pip install --quiet --disable-pip-version-check --no-deps || \
	  echo "not every peer could be installed"
	touch $@

bench: dev tools $(BENCH)/.venv/.installed
	$(PY) -m bench.delta.digests
	$(PY) -m bench.delta --write
	$(PY) -m bench.delta.generated --write
	$(PY) -m bench.delta.cycles --write

fidelity: dev
	$(PY) -m tools.fidelity --measure

docs: dev
	$(PY) -m tools.site

docs-links: dev
	$(PY) -m tools.site --linkcheck --output out/site-links

costs: venv
	$(PY) -m tools.site.costs $(BOARDS)

# CLONE: a git clone of the open part data; FACTS in its place: a folder that tools/distil_chips.py made.
chips: venv
	$(PY) tools/renew_chips.py $(if $(CLONE),--clone $(CLONE)) $(if $(FACTS),--facts $(FACTS))

chips-check: venv
	$(PY) tools/renew_chips.py --check $(if $(CLONE),--clone $(CLONE)) $(if $(FACTS),--facts $(FACTS))

wheels: venv
	$(PY) tools/wheels.py out/wheels

boards-files: venv
	$(PY) tools/board_files.py out/boards $(BOARDS)

release: venv
	$(PY) tools/own_release.py out/release $(BOARDS)

lock:
	.venv/bin/pip install --quiet pip-tools
	.venv/bin/pip-compile $(LOCK) --extra all,dev -o requirements-dev.lock pyproject.toml
	.venv/bin/pip-compile $(LOCK) --extra all -c requirements-dev.lock -o requirements.lock pyproject.toml

clean:
	rm -rf build out .venv $(BENCH)/.venv $(BENCH)/corpus
