"""Sealed trails for tests: small ones, with keys of their own."""

from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.audit.trail import keys
from registry.audit.trail import seal as seals
from registry.audit.trail.chain import Chain, SealCopy, read_seal
from registry.audit.trail.compare import TrailCheck, pair_copies, read_pair
from registry.audit.trail.entry import Record
from registry.audit.trail.verify import compare_entries
from tests.factories import NOON

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
KEYS = keys.make_keyring([KEY.public_key()])


def some_records(*numbers):
    return [Record(n, f'{{"CLIENT_ID":"client {n}"}}', f"key:{n:02x}") for n in numbers]


@dataclass
class Trail:
    """Entries by seal, and the copies of the seals; ten transactions under each."""

    copies: list[SealCopy] = field(default_factory=list)
    records: dict[int, list[Record]] = field(default_factory=dict)

    def seal(self, *numbers, key=KEY, **changes):
        records = some_records(*numbers)
        before = self.copies[-1].text if self.copies else None
        number = len(self.copies) + 1
        made = {
            "sealed_at": NOON + timedelta(minutes=number),
            "key_id": keys.compute_key_id(key.public_key()),
            **changes,
        }
        text = seals.write_seal(seals.make_next_seal(before, records, number * 10, **made))
        self.copies.append(SealCopy(number, text, seals.sign_seal(key, text)))
        self.records[number] = records
        return self

    def of(self, seal):
        return self.records[seal.number]


def a_trail():
    """Three seals: of the entries 1 to 4, of none, and of 5 to 7, in the order 5, 7, 6."""
    return Trail().seal(1, 2, 3, 4).seal().seal(5, 7, 6)


def resealed(seal, key=KEY, **changes):
    """A copy of a seal that says something else, signed like a true one."""
    members = {name: getattr(seal, name) for name in seal.__slots__} | changes
    text = seals.write_seal(seals.Seal(**members))
    return SealCopy(members["number"], text, seals.sign_seal(key, text))


def check_chain(copies, keys, first=1):
    """Follow all seals of one place, without their entries."""
    chain = Chain(first)
    for copy in copies:
        yield from chain.follow(read_seal(keys, copy))


def check_trail(bucket, database, records_of, keys, first=1, breaks=()):
    """Check seals in both places and their entries; `records_of` gives those of a seal."""
    trail = TrailCheck(records_of, first, breaks)
    for original, copy in pair_copies(bucket, database):
        pair = read_pair(keys, original, copy)
        yield from trail.check_copies(pair)
        if seal := pair.reading.seal:
            comparison = compare_entries(seal, records_of(seal))
            yield from trail.check_entries(pair.reading, comparison)
    yield from trail.check_end()


def told(findings):
    return [(finding.kind, finding.seal, *finding.entries) for finding in findings]
