"""The browser updater: a page with WebSerial that does what `spboot send` does, as one HTML file.

`facts.py` is what it knows of spec, boards and line, `page.py` joins its parts, `server.py` shows it at localhost.  The
scripts beside them are ES modules, a noun each."""
