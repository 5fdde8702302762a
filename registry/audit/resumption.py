"""Resumption: sealing goes on from an older database, beside a bucket that knows more.

What is missing between them stays missing, and a break says so: a seal that follows the last one of
the bucket, and is signed and locked away as all are.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import attrgetter
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine

from registry.audit.legal_period import find_legal_end
from registry.audit.log import AuditLog
from registry.audit.store import reads, resumption, seals, sheaves
from registry.audit.store.resumption import Move, UnsealedRecord
from registry.audit.store.seal_bucket import SealStore, is_signed, pack_seal, unpack_seal
from registry.audit.trail import keys
from registry.audit.trail.breaks import Break, join_runs
from registry.audit.trail.chain import Chain, SealCopy, read_seal
from registry.audit.trail.entry import hash_leaf
from registry.audit.trail.seal import (
    GENESIS,
    Seal,
    hash_seal,
    make_next_seal,
    parse_seal,
    read_head,
    sign_seal,
    write_seal,
)
from registry.domain.errors import RegistryError

# Entries that are counted under one transaction, since a seal never splits one.
_TOGETHER: Final = 1000


class CannotResume(RegistryError):
    """There is nothing to resume, or it is no older database that the bucket is beside."""


@dataclass(frozen=True, slots=True)
class _Lost:
    """The range of a seal that the bucket has and the database had lost."""

    number: int
    until_xid: int
    count: int
    last_number: int


@dataclass(frozen=True, slots=True)
class _Stray:
    """An entry that is still to be sealed; `is_covered` where a seal covers its transaction."""

    entry: UnsealedRecord
    is_covered: bool


@dataclass(frozen=True)
class Resumption:
    """Resumes sealing through the owner's role, in one transaction, for which calls wait."""

    engine: Engine
    store: SealStore
    private_key: Ed25519PrivateKey
    keyring: keys.Keys
    audit_log: AuditLog
    now: Callable[[], datetime]

    def resume(self, reason: str, operator: str) -> Seal:
        """Make the break, and store it; returns its seal.

        Raises `CannotResume`, and `Unavailable` when the bucket does not answer: the break may
        then be made already, and a worker stores it later.
        """
        with self.engine.begin() as connection:
            resumption.wait_for_sealing(connection)
            head = self._find_common_head(connection)
            horizon = resumption.read_horizon(connection)
            # Those that a worker has made since, which the bucket refuses.
            resumption.delete_seals(connection, head.number if head else 0)
            lost_seals, last = self._bring_back_seals(connection, head)
            if last is None:
                raise CannotResume("Neither the bucket nor the database has a seal yet.")
            resumption.lock_entries(connection)
            # What is not under the common head may be counted, and filed, under others.
            sheaves.delete_sheaves(connection, _read_until(head))
            remnants, strays = _divide_entries(connection, head, lost_seals)
            is_behind = horizon < _read_until(last) or any(stray.is_covered for stray in strays)
            if not (lost_seals or is_behind):
                raise CannotResume("There is nothing to resume: sealing goes on by itself.")
            known_break = _describe(reason, operator, head, last, lost_seals, remnants)
            row = self._keep_break(connection, known_break, last)
            _count_on(connection, row.until_xid, strays, lost_seals)
            details = {"seal": row.seal_number, "reason": reason, "missing": known_break.missing}
            self.audit_log.note(connection, "audit/resume", details)
        self.store.put(row.seal_number, pack_seal(row.seal, row.signature), row.kept_until)
        with self.engine.begin() as connection:
            seals.mark_stored(connection, row.seal_number, self.now())
        return parse_seal(row.seal)

    def _find_common_head(self, connection: Connection) -> SealCopy | None:
        """Find the last seal that both places have, None where the database has none of them."""
        for row in resumption.read_seals_backwards(connection):
            copies = [unpack_seal(row.seal_number, each) for each in self._read(row.seal_number)]
            if any(copy.text == row.seal for copy in copies):
                return row.copy
            if row.stored_at is not None:
                raise CannotResume(
                    f"The bucket does not have seal {row.seal_number}, which the database calls"
                    " stored: it is another bucket, or somebody has changed the database. See what"
                    " `registry audit verify` finds."
                )
        return None

    def _read(self, number: int) -> Iterator[bytes]:
        for stored_object in self.store.read(number):
            if is_signed(self.keyring, number, stored_object.content):
                yield stored_object.content

    def _bring_back_seals(
        self, connection: Connection, head: SealCopy | None
    ) -> tuple[Sequence[_Lost], SealCopy | None]:
        """Copy the seals after the head from the bucket, once they are seen to follow it."""
        chain = Chain(head.number if head else 1)
        lost_seals: list[_Lost] = []
        last = head
        self._require_intact(chain, head)
        first = head.number + 1 if head else 0
        for stored_object, versions in self.store.fetch_all(self.store.list_objects(first)):
            number = stored_object.number
            if number is None:
                continue
            contents = (each.content for each in versions)
            ours = next((each for each in contents if is_signed(self.keyring, number, each)), None)
            if ours is None:  # somebody else's, which verify tells
                continue
            last = unpack_seal(number, ours)
            seal = self._require_intact(chain, last)
            if seal is not None:
                seals.add_seal(connection, _make_row(last, seal, self.now()))
                lost_seals.append(_Lost(number, seal.until_xid, seal.count, seal.last_number or 0))
        return lost_seals, last

    def _require_intact(self, chain: Chain, copy: SealCopy | None) -> Seal | None:
        """Follow the next seal of the bucket; raises `CannotResume` where it is not right."""
        if copy is None:
            return None
        findings = chain.follow(read_seal(self.keyring, copy))
        faults = [str(finding) for finding in findings if not finding.is_known]
        if faults:
            raise CannotResume(f"The bucket is not what was sealed: {'; '.join(faults)}")
        return chain.seal

    def _keep_break(
        self, connection: Connection, known_break: Break, last: SealCopy
    ) -> seals.SealRow:
        previous = parse_seal(read_head(last.text))
        seal = make_next_seal(
            read_head(last.text),
            [],
            previous.until_xid,
            sealed_at=max(self.now(), previous.sealed_at),
            key_id=keys.compute_key_id(self.private_key.public_key()),
            known_break=known_break,
        )
        text = write_seal(seal)
        copy = SealCopy(seal.number, text, sign_seal(self.private_key, text))
        row = _make_row(copy, seal, None)
        seals.add_seal(connection, row)
        return row


def _make_row(copy: SealCopy, seal: Seal, stored_at: datetime | None) -> seals.SealRow:
    return seals.SealRow(
        seal_number=copy.number,
        seal=copy.text,
        signature=copy.signature,
        until_xid=seal.until_xid,
        sealed_at=seal.sealed_at,
        kept_until=find_legal_end(seal.sealed_at),
        stored_at=stored_at,
    )


def _describe(
    reason: str,
    operator: str,
    head: SealCopy | None,
    last: SealCopy,
    lost_seals: Sequence[_Lost],
    remnants: Mapping[int, tuple[range, ...]],
) -> Break:
    present = sum(len(run) for runs in remnants.values() for run in runs)
    return Break(
        reason=reason,
        operator=operator,
        bucket_seal=last.number,
        bucket_hash=hash_seal(last.text),
        database_seal=head.number if head else 0,
        database_hash=hash_seal(head.text) if head else GENESIS,
        missing=sum(each.count for each in lost_seals) - present,
        remnants=remnants,
    )


def _divide_entries(
    connection: Connection, head: SealCopy | None, lost_seals: Sequence[_Lost]
) -> tuple[Mapping[int, tuple[range, ...]], Sequence[_Stray]]:
    """Tell the entries that lie under lost seals, by these, from those that are still to be sealed.

    The leaves say it: a server that counts anew gives the numbers of transactions a second time.
    """
    begin, ends = _read_until(head), [each.until_xid for each in lost_seals]
    unsealed_records = resumption.read_unsealed(connection, head.number if head else 0, begin)

    def find_place(entry: UnsealedRecord) -> int:
        return bisect_right(ends, entry.xid) if entry.xid >= begin else len(ends)

    remnants: dict[int, tuple[range, ...]] = {}
    strays: list[_Stray] = []
    for place, entries in groupby(sorted(unsealed_records, key=find_place), find_place):
        if place == len(ends):
            strays += [_Stray(entry, entry.xid < begin) for entry in entries]
            continue
        leaves, form = _read_leaves(connection, lost_seals[place].number)
        numbers = []
        for entry in entries:
            if leaves.get(entry.record.number) == hash_leaf(entry.record, form):
                numbers.append(entry.record.number)
            else:
                strays.append(_Stray(entry, is_covered=True))
        remnants[lost_seals[place].number] = tuple(
            range(first, first + length) for first, length in join_runs(sorted(numbers))
        )
    return {seal: runs for seal, runs in remnants.items() if runs}, strays


def _count_on(
    connection: Connection, base: int, strays: Sequence[_Stray], lost_seals: Sequence[_Lost]
) -> None:
    """Count what is unsealed from the break on, and after it all that is still to come."""
    entries = sorted((stray.entry for stray in strays), key=attrgetter("key"))
    moves = [Move(entry, base + place // _TOGETHER) for place, entry in enumerate(entries)]
    resumption.move_entries(connection, moves)
    last_number = max((each.last_number for each in lost_seals), default=1)
    resumption.count_from(connection, base + len(moves) // _TOGETHER + 1, last_number)


def _read_until(copy: SealCopy | None) -> int:
    return parse_seal(read_head(copy.text)).until_xid if copy else 0


def _read_leaves(connection: Connection, number: int) -> tuple[Mapping[int, bytes], int]:
    row = reads.find_seal(connection, number)
    if row is None:
        raise CannotResume(f"Seal {number} was deleted meanwhile.")
    seal = parse_seal(row.seal)
    return dict(zip(seal.numbers, seal.leaves, strict=True)), seal.form
