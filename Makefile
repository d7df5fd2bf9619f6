# One task file for laptop and CI.  `make venv` is all a fresh machine needs.
PY := .venv/bin/python
STAMP := .venv/.installed

.PHONY: venv
venv: $(STAMP)

$(STAMP): requirements.lock pyproject.toml
	python3 -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@
