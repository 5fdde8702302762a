"""Giftless, a Git LFS server in Python: a document streamed from its local storage."""

import json
import signal
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, Self
from urllib.parse import urlsplit

from registry.sandbox.servers.processes import LOOPBACK, Process, free_port, is_free
from tests.bench.scale.peers.environment import PeerEnvironment
from tests.bench.scale.wire import make_get

# Its wheel names no requirements; these are what its local storage imports. Since 2.10 PyJWT
# refuses the subject that it gives anonymous callers.
ENVIRONMENT: Final = PeerEnvironment(
    "giftless",
    ("giftless==0.6.2", "flask", "flask-classful", "flask-marshmallow", "marshmallow<4",
     "marshmallow-enum", "webargs", "python-dotenv", "figcan", "pyyaml", "pyjwt<2.10",
     "cryptography", "python-dateutil", "cachetools", "typing-extensions", "setuptools<81",
     "gunicorn>=25"),
)  # fmt: skip
_OID: Final = "b" * 64
_SETTINGS: Final = '{"PRE_AUTHORIZED_ACTION_PROVIDER": {"options": {"default_lifetime": 86400}}}'
_BATCH: Final = "/bench/documents/objects/batch"


class Giftless:
    """Giftless in gunicorn over a folder with one object, which anybody may read."""

    def __init__(self, folder: Path, content: bytes, *, workers: int, threads: int) -> None:
        self._folder = folder / "giftless"
        self._content = content
        self._size = ("-w", str(workers), "-k", "gthread", "--threads", str(threads))
        self.port = free_port()
        self._process = Process("giftless", folder / "giftless.log", signal.SIGQUIT)

    def __enter__(self) -> Self:
        path = self._folder / "lfs-storage" / "bench" / "documents" / _OID
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self._content)
        command = [ENVIRONMENT.python, "-m", "gunicorn", "--no-control-socket", *self._size]
        command += ["-b", f"{LOOPBACK}:{self.port}", "giftless.wsgi_entrypoint:app"]
        self._process.start(command, cwd=self._folder, env={"GIFTLESS_CONFIG_STR": _SETTINGS})
        try:
            self._process.wait_until(lambda: not is_free(self.port), timeout=180)
        except BaseException:
            self._process.stop()
            raise
        self.request = self._authorize()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stop()

    def _authorize(self) -> bytes:
        """Ask as git does where the object is; gives the GET with the grant to read it."""
        wanted = {"oid": _OID, "size": len(self._content)}
        body = {"operation": "download", "transfers": ["basic"], "objects": [wanted]}
        media_type = "application/vnd.git-lfs+json"
        with closing(HTTPConnection(LOOPBACK, self.port, timeout=60)) as connection:
            headers = {"Content-Type": media_type, "Accept": media_type}
            connection.request("POST", _BATCH, json.dumps(body), headers)
            answer = json.loads(connection.getresponse().read())
        action = answer["objects"][0]["actions"]["download"]
        url = urlsplit(action["href"])
        path = f"{url.path}?{url.query}" if url.query else url.path
        return make_get(path, headers=action.get("header", {}))
