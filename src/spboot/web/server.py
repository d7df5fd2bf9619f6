"""Shows the page at localhost, which a browser takes for a secure place, as WebSerial wants one."""

from __future__ import annotations

import http.server
from http import HTTPStatus
from typing import Final

from spboot.errors import LinkError

HOST: Final = "127.0.0.1"
_PATHS: Final = ("/", "/index.html")


class Server(http.server.ThreadingHTTPServer):
    """Serves *page* to this machine alone, at *port*, or at a free one when that is 0; a context manager.

    Raises LinkError when the port is taken."""

    daemon_threads = True

    def __init__(self, page: str, port: int) -> None:
        self.page = page.encode()
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise LinkError(
                f"port {port} of localhost: {error.strerror}: choose another one, or 0 for a free one"
            ) from None

    @property
    def address(self) -> str:
        """What is typed into a browser."""
        return f"http://localhost:{self.server_port}/"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Server
    timeout = 10.0

    def do_GET(self) -> None:
        if self.path.partition("?")[0] not in _PATHS:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(self.server.page)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.end_headers()
        self.wfile.write(self.server.page)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""
