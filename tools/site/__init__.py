"""The documents as a site: pages of docs/, with those that are made of commands, header, docstrings and boards."""
