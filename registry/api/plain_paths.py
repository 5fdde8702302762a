"""Slashes in the paths of the API that clients put where the contract has none."""

import re
from collections.abc import Collection, Iterable
from typing import Final
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_DOUBLED: Final = re.compile("/{2,}")
_COLLECTION: Final = "/ebox/messages"  # of which official examples speak with a slash at its end


class PlainPaths:
    """Reads doubled slashes as one, and the list of messages with a slash as the list (6.22, 6.43).

    Nothing is redirected, since many clients drop the token, or the body, on the way. Only paths
    below `base_paths` are looked at. A slash that the client encoded belongs to an id, and stays.
    """

    def __init__(self, app: WSGIApplication, base_paths: Collection[str]) -> None:
        self.app = app
        self.bases = tuple(f"{base}/" for base in base_paths)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Serve the request at its plain path."""
        path = environ["PATH_INFO"]
        if "//" in path or path.endswith(f"{_COLLECTION}/"):
            # As it came: gunicorn calls it RAW_URI, werkzeug REQUEST_URI.
            typed = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
            plain_path = _DOUBLED.sub("/", path)
            if plain_path.startswith(self.bases) and "%2f" not in typed.lower():
                if plain_path.endswith(f"{_COLLECTION}/"):
                    plain_path = plain_path.removesuffix("/")
                environ["PATH_INFO"] = plain_path
        return self.app(environ, start_response)
