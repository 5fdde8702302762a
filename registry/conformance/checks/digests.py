"""Digests: of the bytes that arrived, in one spelling."""

import base64
import hashlib
from typing import Any, Final

from registry.conformance.checks.refused_publications import refuse_publication
from registry.conformance.letters.papers import Paper, make_main
from registry.conformance.letters.post_office import make_mark
from registry.conformance.requirement import WRITING, Obligation, Role, expect, requires
from registry.conformance.workbench import Workbench

_SENDER: Final = (Role.SENDER, Role.READER)
_FAQ: Final = "contract 5 (FAQ)"


def _announce(bench: Workbench, paper: Paper, value: str) -> list[dict[str, Any]]:
    digest = {"digestValue": value, "digestMethod": "sha_256"}
    return [paper.announce(bench.dialect, digest=digest)]


@requires(
    "digest-mismatch",
    source=f"{_FAQ}: DIGEST_DO_NOT_MATCH; 4.10",
    mend="Compute SHA-256 of the bytes that arrived, and compare.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_wrong_digest(bench: Workbench) -> None:
    """A digest that is not that of the bytes is refused with DIGEST_DO_NOT_MATCH."""
    paper, other = make_main(make_mark()), make_main(make_mark())
    entries = _announce(bench, paper, other.digest)
    refuse_publication(bench, (paper,), "DIGEST_DO_NOT_MATCH", attachments=entries)


@requires(
    "digest-spelling",
    source=f"{_FAQ}: hexadecimal instead of base64url is the usual cause",
    mend="Take base64url alone (RFC 4648 section 5), with or without padding.",
    roles=_SENDER,
    profiles=WRITING,
)
def refuse_other_spelling_of_digest(bench: Workbench) -> None:
    """A digest in hexadecimal is refused; base64url without padding is taken."""
    paper = make_main(make_mark())
    hexadecimal = hashlib.sha256(paper.content).hexdigest()
    refuse_publication(bench, (paper,), attachments=_announce(bench, paper, hexadecimal))
    entries = _announce(bench, paper, paper.digest.rstrip("="))
    message = bench.post_office.make_message(make_mark(), (paper,), attachments=entries)
    bench.post_office.post(message, (paper,)).expect_status(200, 201)


@requires(
    "digest-plain-base64",
    source=f"{_FAQ}: plain base64 instead of base64url is refused",
    mend="Take the alphabet with - and _ alone.",
    roles=_SENDER,
    profiles=WRITING,
    obligation=Obligation.SHOULD,
)
def refuse_plain_base64(bench: Workbench) -> None:
    """A digest in plain base64, with + and /, is refused."""
    paper = make_main(make_mark())
    while not {"-", "_"} & set(paper.digest):
        paper = make_main(make_mark())
    plain = base64.b64encode(hashlib.sha256(paper.content).digest()).decode()
    refuse_publication(bench, (paper,), attachments=_announce(bench, paper, plain))


@requires(
    "refused-leaves-nothing",
    source="contract 4.10; both or neither",
    mend="Publish in one transaction, after everything has been checked.",
    roles=_SENDER,
    profiles=WRITING,
)
def leave_nothing_of_refused(bench: Workbench) -> None:
    """Nothing of a publication that was refused is in the e-Box."""
    mark = make_mark()
    paper = make_main(mark)
    entries = _announce(bench, paper, make_main(make_mark()).digest)
    message = bench.post_office.make_message(mark, (paper,), attachments=entries)
    bench.post_office.post(message, (paper,)).expect_status(400)
    page = bench.list_messages(q=mark, qlang="nl")
    expect(page.total == 0, "A publication that was refused is listed.")
