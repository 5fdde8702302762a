#!/usr/bin/python3
"""End the TCP connections of this host to a peer that has fallen silent.

    peer_watch.py data1:8008 data2:8008 data3:8008 web1:8080 web2:8080

A host that is gone without a word, by its power or its cable, leaves connections on which the
others wait: SeaweedFS's masters for a minute, in which they send writes to the volume server that
is gone. So each peer is asked each second whether it is there; refusing the connection is an answer
too. Whoever has answered before, and not for SILENCE seconds, has its connections ended (`ss -K`),
those being opened among them, until it answers again. Needs root or CAP_NET_ADMIN, and nothing but
Python and iproute2.
"""

import socket
import subprocess
import sys
import threading
import time

INTERVAL = 1.0  # seconds between two questions
PATIENCE = 1.5  # seconds for an answer
SILENCE = 5.0  # seconds without one


def main() -> None:
    """Watch all peers, each in a thread of its own."""
    peers = [parse_peer(text) for text in sys.argv[1:]]
    if not peers:
        raise SystemExit("Name the peers: peer_watch.py HOST:PORT…")
    threads = [threading.Thread(target=watch, args=peer) for peer in peers]
    for thread in threads:
        thread.start()


def parse_peer(text: str) -> tuple[str, int]:
    """Parse HOST:PORT; ends the program when it is not that."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise SystemExit(f"{text} is not HOST:PORT")
    return host, int(port)


def watch(host: str, port: int) -> None:
    """Ask a peer for ever, and end the connections to it while it is silent."""
    answered_at: float | None = None  # None: never, so that a firewall is not taken for silence
    is_silent = False
    while True:
        if is_there(host, port):
            if is_silent:
                report(f"{host} answers again")
            answered_at, is_silent = time.monotonic(), False
        elif answered_at is not None and time.monotonic() - answered_at > SILENCE:
            if not is_silent:
                report(f"{host} is silent: its connections are ended")
            is_silent = True
            end_connections(host)
        time.sleep(INTERVAL)


def is_there(host: str, port: int) -> bool:
    """Tell if the peer answers, if only to refuse."""
    try:
        socket.create_connection((host, port), PATIENCE).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True


def end_connections(host: str) -> None:
    """End all connections to a host; those of the other side end when it hears of us again."""
    command = ["ss", "-K", "-H", "dst", host]
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def report(text: str) -> None:
    """Tell the journal."""
    print(text, flush=True)  # noqa: T201 - its log


if __name__ == "__main__":
    main()
