"""Each fault of the journey: how it strikes, how it is mended, and how long it is watched."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tests.ha.installation import Installation

Choice = Callable[[Installation], str | None]
Deed = Callable[[Installation, str], None]


@dataclass(frozen=True)
class Fault:
    """One of them; `choose` gives the host that it strikes, `strike` and `mend` get it.

    `watch`: the seconds from the strike until it is mended. `replaces_primary`: another host must
    be the primary then; None: that depends on the host. `is_trespassed`: somebody tries to use the
    host meanwhile. `is_tried_by_names`: it is also tried where registries find PostgreSQL by the
    names of its hosts.
    """

    name: str
    choose: Choice
    strike: Deed
    mend: Deed
    watch: float = 30.0
    replaces_primary: bool | None = False
    is_trespassed: bool = False
    is_tried_by_names: bool = False


def _choose_primary(installation: Installation) -> str | None:
    return installation.members.primary()


def _choose_standby(installation: Installation) -> str | None:
    return installation.members.synchronous()


def _choose_etcd_leader(installation: Installation) -> str | None:
    return installation.members.etcd_leader()


def _choose_master_leader(installation: Installation) -> str | None:
    return installation.members.master_leader()


def _kill_postgresql(installation: Installation, name: str) -> None:
    lines = (installation.data[name].data / "postmaster.pid").read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)


def _kill(daemon: str) -> Deed:
    def kill(installation: Installation, name: str) -> None:
        installation.data[name].kill(daemon)

    return kill


def _fail_power(installation: Installation, name: str) -> None:
    installation.network.end_processes(name)


def _cut_off(installation: Installation, name: str) -> None:
    installation.network.cut_off(name)


def _reconnect(installation: Installation, name: str) -> None:
    installation.network.reconnect(name)


def _start(installation: Installation, name: str) -> None:
    installation.data[name].start()


FAULTS: Final = (
    Fault(
        "PostgreSQL of the primary killed",
        _choose_primary,
        _kill_postgresql,
        _start,
        replaces_primary=True,
    ),
    Fault(
        "the primary's host without power",
        _choose_primary,
        _fail_power,
        _start,
        watch=45,
        replaces_primary=True,
        is_tried_by_names=True,
    ),
    Fault(
        "the primary's Patroni killed, its PostgreSQL goes on",
        _choose_primary,
        _kill("patroni"),
        _start,
        watch=45,
        replaces_primary=True,
    ),
    Fault("a volume server killed", _choose_standby, _kill("volume"), _start),
    Fault("the leading member of etcd killed", _choose_etcd_leader, _kill("etcd"), _start),
    Fault(
        "the synchronous standby's host cut off", _choose_standby, _cut_off, _reconnect, watch=45
    ),
    Fault(
        "the host of SeaweedFS's leading master cut off",
        _choose_master_leader,
        _cut_off,
        _reconnect,
        watch=45,
        replaces_primary=None,
    ),
    Fault(
        "the primary's host cut off",
        _choose_primary,
        _cut_off,
        _reconnect,
        watch=60,
        replaces_primary=True,
        is_trespassed=True,
        is_tried_by_names=True,
    ),
)
