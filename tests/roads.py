"""Roads to a server on which bad things happen: a small TCP proxy for tests."""

import selectors
import socket
import struct
import threading
import time
from contextlib import suppress

from registry.sandbox.servers.processes import LOOPBACK

_RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing says RST


class Road:
    """An address that leads to `target`, until something happens to it.

    `silence` keeps all bytes back, of old connections and new ones; `cut` resets the connections
    there are; `refuse` resets new ones too; `heal` lets everything pass again, what was kept
    back first. `seen` has the bytes that clients sent.
    """

    def __init__(self, target):
        self.target = target
        self.seen = bytearray()
        self._is_silent, self._refuses, self._is_over = False, False, False
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._pairs, self._clients = {}, set()
        self._lock = threading.RLock()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._lead, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._is_over = True
        self._thread.join()
        with self._lock:
            for end in list(self._pairs):
                end.close()
            self._listener.close()
            self._selector.close()

    def silence(self):
        with self._lock:
            self._is_silent = True

    def refuse(self):
        self._refuses = True
        self.cut()

    def cut(self):
        with self._lock:
            for end in list(self._pairs):
                self._drop(end)

    def heal(self):
        with self._lock:
            self._is_silent, self._refuses = False, False

    def _lead(self):
        while not self._is_over:
            with self._lock:
                ready = [] if self._is_silent else self._selector.select(0)
                for key, _ in ready:
                    self._pass_on(key.fileobj)
            if not ready:
                time.sleep(0.002)

    def _pass_on(self, source):
        if source is self._listener:
            self._meet()
            return
        target = self._pairs.get(source)
        if target is None:
            return
        try:
            chunk = source.recv(1 << 16)
            if chunk and source in self._clients:
                self.seen += chunk
            if chunk:
                target.sendall(chunk)
        except OSError:
            chunk = b""
        if not chunk:
            self._drop(source)

    def _meet(self):
        here, _ = self._listener.accept()
        if self._refuses:
            here.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            here.close()
            return
        try:
            there = socket.create_connection(self.target, timeout=5)
        except OSError:
            here.close()
            return
        self._pairs |= {here: there, there: here}
        self._clients.add(here)
        for end in (here, there):
            self._selector.register(end, selectors.EVENT_READ)

    def _drop(self, end):
        other = self._pairs.pop(end, None)
        for one in (end, other):
            if one is not None:
                self._pairs.pop(one, None)
                self._clients.discard(one)
                with suppress(OSError, KeyError, ValueError):
                    self._selector.unregister(one)
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                one.close()
