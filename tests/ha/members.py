"""The members of the clusters on the data hosts, as they say themselves."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.request import urlopen

RUNNING: Final = ("running", "streaming")
_NEAR: Final = 1 << 20  # bytes behind the primary, while others write


@dataclass(frozen=True)
class Member:
    """One PostgreSQL, as Patroni has it: its role there, state, and bytes that it lags behind."""

    name: str
    role: str
    state: str
    lag: int | None


class Members:
    """Patroni, etcd and SeaweedFS at these addresses, by the names of the hosts."""

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = dict(addresses)

    def postgresql(self) -> list[Member]:
        """All that Patroni knows, by the first host that answers; none when none does."""
        for address in self._addresses.values():
            if body := read_url(f"http://{address}:8008/cluster"):
                members = json.loads(body)["members"]
                return [
                    Member(member["name"], member["role"], member["state"], _lag(member))
                    for member in members
                ]
        return []

    def primary(self) -> str | None:
        """The host that says of itself that it is the primary; None when none or two do."""
        names = [
            name
            for name, address in self._addresses.items()
            if read_url(f"http://{address}:8008/primary") is not None
        ]
        return names[0] if len(names) == 1 else None

    def synchronous(self) -> str | None:
        """The synchronous standby."""
        names = [each.name for each in self.postgresql() if each.role == "sync_standby"]
        return names[0] if names else None

    def etcd_leader(self) -> str | None:
        """The host whose member leads etcd."""
        for name, address in self._addresses.items():
            if body := read_url(f"http://{address}:2379/v3/maintenance/status", b"{}"):
                status = json.loads(body)
                if status["leader"] == status["header"]["member_id"]:
                    return name
        return None

    def master_leader(self) -> str | None:
        """The host whose master leads SeaweedFS."""
        for name, address in self._addresses.items():
            body = read_url(f"http://{address}:9333/cluster/status")
            if body and json.loads(body).get("IsLeader"):
                return name
        return None

    def are_whole(self) -> bool:
        """Tell if nobody is missing: one leader, one synchronous standby and one more, etcd's three
        members, and three volume servers that SeaweedFS's masters know.
        """
        members = sorted(self.postgresql(), key=lambda each: each.role)  # the leader first
        return (
            [each.role for each in members] == ["leader", "replica", "sync_standby"]
            and all(each.state in RUNNING for each in members)
            and all(each.lag is not None and each.lag < _NEAR for each in members[1:])
            and all(self._is_well(address) for address in self._addresses.values())
            and self._count_volume_servers() == len(self._addresses)
        )

    @staticmethod
    def _is_well(address: str) -> bool:
        body = read_url(f"http://{address}:2379/health")
        return body is not None and json.loads(body).get("health") == "true"

    def _count_volume_servers(self) -> int:
        for address in self._addresses.values():
            if body := read_url(f"http://{address}:9333/dir/status"):
                centers = json.loads(body)["Topology"]["DataCenters"] or []
                racks = [rack for center in centers for rack in center["Racks"] or []]
                return sum(len(rack["DataNodes"] or []) for rack in racks)
        return 0


def _lag(member: Mapping[str, object]) -> int | None:
    lag = member.get("lag")
    return lag if isinstance(lag, int) else None


def read_url(url: str, data: bytes | None = None) -> bytes | None:
    """What a GET, or a POST of `data`, gives with status 200, within two seconds; else None."""
    try:
        with urlopen(url, data, timeout=2) as answer:  # noqa: S310 - our own
            body: bytes = answer.read()
            return body if answer.status == 200 else None
    except OSError:
        return None
