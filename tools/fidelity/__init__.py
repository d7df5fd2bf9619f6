"""Makes docs/fidelity.md: every register that the twin models, what it does there, and who has exercised it.

`python -m tools.fidelity --measure` runs the boards and the twin's own tests and writes down which registers were
accessed (accesses.json); `python -m tools.fidelity` makes the page of that file and of the models; `--check` says
whether the page is the one that would be made."""
