"""The report: what became of all that was asked while processes were killed, row by row."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from tests.journeys.ledger.book import Book, Finding, Harm, Kind

TITLE: Final = "A thousand kills"

_INTRODUCTION: Final = """\
{total} processes were killed with SIGKILL in the midst of their work, at moments that are spread
over all of it, in random order (seed {seed}), while others went on; {duration:.0f} minutes in all.
During a publication, reply or broadcast gunicorn was killed, now and then with its arbiter.

A ledger outside of these processes has what each caller was answered: *acknowledged* is what got
its 201, and a command that ended well; *unknown* is what got no answer, which may be there or not,
but whole. When all was done that workers and operators do, the ledger was held against database,
storage, the documents that readers get, the event service, `registry fsck --deep` and
`registry audit verify`: *lost* is what was acknowledged and is not there; *half* what lacks a part,
or belongs to nobody; *unannounced* what the federation never heard of.
"""
_OBJECTS: Final = {
    Kind.PUBLICATION: "publications",
    Kind.REPLY: "replies",
    Kind.BROADCAST: "broadcasts to 1,050",
    Kind.PURGE: "`registry worker --only purge`",
    Kind.SEAL: "`registry worker --only seal`",
    Kind.DELIVER: "`registry worker --only deliver`",
    Kind.MIGRATE: "`registry database migrate`",
    Kind.FSCK: "`registry fsck --repair`",
    Kind.RESUME: "`registry audit resume`",
}
_HEADER: Final = ("", "kills", "acknowledged", "unknown", "lost", "half", "unannounced")


def write_report(book: Book, findings: Sequence[Finding], *, seed: int, minutes: float) -> str:
    """Write the introduction, the table, and the findings, if there are any."""
    total = sum(book.kills.values())
    lines = [
        _INTRODUCTION.format(total=f"{total:,}", seed=seed, duration=minutes),
        *write_table(book, findings),
        "",
        *(f"- {each.kind}, {each.harm}: {each.subject}: {each.detail}" for each in findings),
        *([""] if findings else []),
        *_write_copies(book),
    ]
    return "\n".join(lines)


def write_table(book: Book, findings: Sequence[Finding]) -> Iterator[str]:
    """Write a row for each kind of work, and one for all."""
    harms = Counter((finding.kind, finding.harm) for finding in findings)
    rows = [
        (
            _OBJECTS[kind],
            book.kills[kind],
            *book.count_answers(kind),
            *(harms[kind, harm] for harm in Harm),
        )
        for kind in Kind
    ]
    sums = [sum(int(row[column]) for row in rows) for column in range(1, len(_HEADER))]
    yield _write_row(*_HEADER)
    yield _write_row("---", *["---:"] * (len(_HEADER) - 1))
    for row in (*rows, ("all", *sums)):
        yield _write_row(row[0], *(f"{cell:,}" for cell in row[1:]))


def _write_copies(book: Book) -> Iterator[str]:
    count = sum(1 for _ in book.list_copies())
    purged = sum(len(letter.purged) for letter in book.letters)
    yield f"With the copies of broadcasts that is {count:,} messages. {purged:,} of them had"
    yield (
        f"expired and are deleted, with proofs. {len(book.strays):,} objects of nobody are in"
        " quarantine."
    )


def _write_row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
