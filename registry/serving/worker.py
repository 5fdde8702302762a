"""The worker with which gunicorn serves the registry: its threads never wait for slow clients.

The loop that accepts connections also gathers requests, so that a thread takes one only when its
head is there, and its body too if that is short. Long bodies and slow readers do hold threads, but
fewer than there are, and at a least rate. And what the registry refuses early is heard: a client
that is still sending hears why only if what it sends is read on; a connection closed over unread
bytes is reset, and the answer lost (RFC 9112, 9.6).
"""

import errno
import os
import select
import selectors
import socket
import ssl
import time
from collections import deque
from concurrent.futures import Future
from functools import partial
from typing import Any, Final

import structlog
from gunicorn.http import get_parser
from gunicorn.workers.gthread import STOP_KEEPALIVE_LINGER, TConn, ThreadWorker

from registry.api.health import FIRST_LOOK
from registry.api.state import get_state
from registry.serving.arrival import Arrival, Stage
from registry.serving.awaited_body import AwaitedBody, watch_answers
from registry.serving.early_answers import BUSY, HEAD_TOO_LARGE, TOO_SLOW
from registry.serving.farewell import Farewells
from registry.serving.limits import ServingLimits, reserve_files
from registry.serving.pace import PacedSocket
from registry.serving.reader_slots import ReaderSlots
from registry.serving.readings import show_serving
from registry.serving.underway import RequestsUnderway
from registry.settings.fault import PREFIX
from registry.telemetry.metrics import count_slow_client

_BETWEEN_LOOKS: Final = 0.25  # seconds

_log = structlog.get_logger("registry.serving")


class ServingWorker(ThreadWorker):  # type: ignore[misc] # gunicorn has no types
    """Threads that answer, and a loop that waits for clients: for requests and for farewells.

    Where gunicorn itself ends TLS, a thread waits for each request, as is gunicorn's own way.
    """

    wsgi: Any
    _limits: ServingLimits
    _slots: ReaderSlots
    _farewells: Farewells
    worker_connections: int

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._arrivals: set[Arrival] = set()
        self._queue: deque[Arrival] = deque()  # long bodies, until a thread may wait for them
        self._long: set[TConn] = set()  # connections whose thread may wait for a body
        self._next_look = 0.0  # by the monotonic clock
        self._underway = RequestsUnderway()
        self._probe: TConn | None = None  # the connection that the loop itself answers on

    def init_process(self) -> None:
        """Read the limits in the process itself, where unfit settings stop nobody else."""
        self._limits = ServingLimits.load(os.environ, self.cfg.threads)
        self._slots = ReaderSlots(self._limits.slow_readers)
        self.worker_connections = reserve_files(self.cfg.worker_connections)
        # How many processes count what a client asks for; the application divides its quota.
        os.environ["WEB_CONCURRENCY"] = str(self.cfg.workers)
        # One thread is always left to those who need not wait for introspection.
        os.environ.setdefault(f"{PREFIX}INTROSPECTION_SEATS", str(max(1, self.cfg.threads - 1)))
        super().init_process()

    def load_wsgi(self) -> None:
        """Load the application, and look at the beginning of each of its answers.

        Its neighbours are looked at before the first request, which none then waits for.
        """
        super().load_wsgi()
        get_state(self.wsgi).registry.health.read(FIRST_LOOK)
        self.wsgi = watch_answers(self.wsgi)

    def run(self) -> None:
        """Serve until somebody asks to stop, then finish what is under way, for a time."""
        self._farewells = Farewells(self.poller, self._forget_one)
        show_serving(self, self._underway, self._slots, self._long, self._queue)
        super().run()
        if cut := self._underway.cut():
            _log.warning("stopped in the middle of requests", requests=cut)

    def set_accept_enabled(self, is_open: bool) -> None:
        """Accept connections or not; in the end take those that wait, and refuse all others."""
        super().set_accept_enabled(is_open)
        if not self.alive:
            for listener in self.sockets:
                while select.select([listener], [], [], 0)[0]:
                    self.accept(listener)
                listener.close()

    def accept(self, listener: Any) -> None:
        """Accept a connection, and gather what comes on it."""
        if self.cfg.is_ssl:
            super().accept(listener)
            return
        try:
            sock, client = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            self._make_room()  # no file is left for one more; the next attempt may have one
            return
        sock = PacedSocket.adopt(sock, self._limits.pace, self._slots)
        if self._limits.send_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self._limits.send_buffer)
        connection = TConn(self.cfg, sock, client, listener.getsockname())
        connection.parser = get_parser(self.cfg, sock, client)
        connection.initialized = connection.data_ready = True
        self.nr_conns += 1
        if self.nr_conns >= self.worker_connections:
            self._make_room()
        self._await_request(connection)

    def on_client_socket_readable(self, conn: TConn, client: Any) -> None:
        """Gather the next request of a connection that was kept."""
        if isinstance(client, ssl.SSLSocket):
            super().on_client_socket_readable(conn, client)
            return
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._await_request(conn)

    def handle_request(self, req: Any, conn: TConn) -> Any:
        """Answer a request whose body is asked for when it is read."""
        if isinstance(conn.sock, PacedSocket):
            conn.sock.begin_request()
        if conn is self._probe:
            req.force_close()
        req.body = AwaitedBody(req, conn.sock)
        with self._underway.note(conn):
            return super().handle_request(req, conn)

    def finish_request(self, conn: TConn, fs: "Future[Any]") -> None:
        """Wait for another request, or close the connection in stages."""
        self._end_long(conn)
        try:
            is_kept = fs.result()
        except Exception:  # noqa: BLE001 - whatever it was, the connection ends
            super().finish_request(conn, fs)
            return
        if isinstance(conn.sock, ssl.SSLSocket):
            super().finish_request(conn, fs)
        elif not is_kept:
            self._part_with(conn)
        elif ahead := conn.parser.unreader.take_buffered():
            self._await_request(conn, ahead)  # its beginning was read with the request before
        else:
            super().finish_request(conn, fs)

    def murder_pending(self) -> None:
        """End what waits for too long; gunicorn calls this after each event, even in its last hour.

        Looking at all that waits is done a few times a second.
        """
        super().murder_pending()
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + _BETWEEN_LOOKS
        for arrival in [each for each in self._arrivals if self._is_over(each, now)]:
            self._forget(arrival)
            if arrival.received:
                count_slow_client("request")
                self._refuse(arrival.connection, TOO_SLOW)
            else:
                self._close(arrival.connection)
        while self._queue and now - self._queue[0].began > self._limits.queue:
            count_slow_client("queue")
            self._refuse(self._queue.popleft().connection, BUSY)
        while sum(len(arrival.received) for arrival in self._arrivals) > self._limits.gathered:
            self._make_room()
        self._farewells.sweep(now)

    def _is_over(self, arrival: Arrival, now: float) -> bool:
        """Tell if a client has had its time; when we stop, one that says nothing has little."""
        is_idle = not self.alive and not arrival.received
        return arrival.is_late(now, self._limits.pace) or (
            is_idle and now - arrival.began > STOP_KEEPALIVE_LINGER
        )

    # Requests that arrive

    def _await_request(self, conn: TConn, ahead: bytes = b"") -> None:
        """Gather a request, of which some may be there."""
        conn.sock.setblocking(False)
        arrival = Arrival(conn, time.monotonic())
        stage = arrival.take(ahead) if ahead else arrival.advance()
        if stage is Stage.UNDERWAY:
            self._arrivals.add(arrival)
            on_readable = partial(self._on_readable, arrival)
            self.poller.register(conn.sock, selectors.EVENT_READ, on_readable)
        else:
            self._proceed(arrival, stage)

    def _on_readable(self, arrival: Arrival, _sock: Any) -> None:
        stage = arrival.advance()
        if stage is not Stage.UNDERWAY:
            self._forget(arrival)
            self._proceed(arrival, stage)

    def _proceed(self, arrival: Arrival, stage: Stage) -> None:
        if stage is Stage.READY and self._limits.probes.match(arrival.received):
            self._answer_probe(arrival)
        elif stage is Stage.READY:
            self._dispatch(arrival)
        elif stage is Stage.LONG:
            self._enqueue(arrival)
        elif stage is Stage.OVERLONG:
            self._refuse(arrival.connection, HEAD_TOO_LARGE)
        else:
            self._close(arrival.connection)

    def _dispatch(self, arrival: Arrival) -> None:
        """Hand the request to a thread."""
        arrival.connection.parser.unreader.unread(bytes(arrival.received))
        self.enqueue_req(arrival.connection)

    def _answer_probe(self, arrival: Arrival) -> None:
        """Answer here and now, as far as the client takes it at once: the loop waits for nobody."""
        conn = self._probe = arrival.connection
        conn.sock.may_wait = False
        conn.parser.unreader.unread(bytes(arrival.received))
        outcome: Future[Any] = Future()
        outcome.set_result(self.handle(conn))  # which raises nothing
        self.finish_request(conn, outcome)

    def _enqueue(self, arrival: Arrival) -> None:
        if len(self._queue) < self._limits.longest_queue:
            self._queue.append(arrival)
            self._dispatch_long()
        else:
            count_slow_client("queue")
            self._refuse(arrival.connection, BUSY)

    def _dispatch_long(self) -> None:
        """Hand those with long bodies to threads, as many as may wait for bodies."""
        while self._queue and len(self._long) < self._limits.long_bodies:
            arrival = self._queue.popleft()
            self._long.add(arrival.connection)
            self._dispatch(arrival)

    def _end_long(self, conn: TConn) -> None:
        if conn in self._long:
            self._long.remove(conn)
            self._dispatch_long()

    def _forget(self, arrival: Arrival) -> None:
        self._arrivals.discard(arrival)
        self.poller.unregister(arrival.connection.sock)

    def _make_room(self) -> None:
        """Close the connection that has waited longest with nothing to answer on it."""
        if self._arrivals:
            oldest = min(self._arrivals, key=lambda arrival: arrival.began)
            self._forget(oldest)
            self._close(oldest.connection)
        elif self.keepalived_conns:
            conn = self.keepalived_conns.popleft()
            self.poller.unregister(conn.sock)
            self._close(conn)

    # Connections that end

    def _refuse(self, conn: TConn, answer: bytes) -> None:
        """Say so in the loop itself, as far as the client takes it at once, and part."""
        try:
            conn.sock.send(answer)
        except OSError:
            self._close(conn)
        else:
            self._part_with(conn)

    def _part_with(self, conn: TConn) -> None:
        """Close a connection on which the client may still be sending."""
        try:
            self._farewells.begin(conn.sock, time.monotonic())
        except OSError:  # it is closed: by the client, or because an answer broke off
            self._close(conn)

    def _close(self, conn: TConn) -> None:
        self._forget_one()
        conn.close()

    def _forget_one(self) -> None:
        self.nr_conns -= 1
