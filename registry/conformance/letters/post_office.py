"""Publishes letters: those that several checks look at once only, and any other as asked."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from registry.conformance.exchange.exchange import Exchange
from registry.conformance.letters.form_body import make_form_body
from registry.conformance.letters.papers import Paper, make_annex, make_main
from registry.conformance.requirement import Role, Untestable

if TYPE_CHECKING:
    from registry.conformance.workbench import Workbench

_LETTERS: Final = "bcdfghjkmnpqrstvwxz"  # no vowels: a mark is no word of anybody's


@dataclass(frozen=True, slots=True)
class PublishedLetter:
    """A letter in the e-Box of the reader; `mark` is in its subject, and nowhere else."""

    message_id: str
    mark: str
    papers: tuple[Paper, ...]
    receipt: Exchange

    @property
    def path(self) -> str:
        """Path of the letter below the base."""
        return f"/ebox/messages/{self.message_id}"


@dataclass
class PostOffice:
    """Publishes as the sender of the run; remembers what has to be tidied up."""

    bench: "Workbench"
    message_ids: list[str] = field(default_factory=list)
    _by_name: dict[str, PublishedLetter] = field(default_factory=dict)

    def make_message(self, mark: str, papers: Sequence[Paper], **changes: Any) -> dict[str, Any]:
        """Make a message to publish; a change to None takes a member out."""
        bench, dialect = self.bench, self.bench.dialect
        sender = bench.find_party(Role.SENDER)
        members = {
            "recipient": dialect.make_recipient(bench.target.family, bench.read_reader_number()),
            **dialect.make_sender(sender.number),
            **dialect.make_flags(),
            "senderApplicationId": sender.application,
            "messageTypeId": sender.message_type,
            "subject": {"nl": f"Conformance {mark}"},
            "attachments": [paper.announce(dialect) for paper in papers],
            **changes,
        }
        return {name: value for name, value in members.items() if value is not None}

    def post(
        self,
        message: dict[str, Any] | bytes | None,
        papers: Sequence[Paper],
        *,
        key: str | None = None,
        role: Role = Role.SENDER,
        message_last: bool = False,
        path: str | None = None,
    ) -> Exchange:
        """Publish, and give what came of it, whatever that is."""
        body = make_form_body(message, papers, message_last=message_last)
        headers = {} if key is None else {"Idempotency-Key": f'"{key}"'}
        exchange = self.bench.ask(
            "POST",
            path or self.bench.dialect.publication,
            role=role,
            headers=headers,
            body=body,
        )
        if exchange.status in (200, 201):
            self._remember(exchange)
        return exchange

    def publish(self, *, papers: Sequence[Paper] | None = None, **changes: Any) -> PublishedLetter:
        """Publish a letter that must be taken; raises `Untestable` when it is not."""
        mark = make_mark()
        if papers is None:
            papers = (make_main(mark),)
        receipt = self.post(self.make_message(mark, papers, **changes), papers, key=str(uuid4()))
        if receipt.status not in (200, 201):
            raise Untestable(f"A letter that this needs is not published ({receipt.status}).")
        message_id = str(receipt.members().get("messageId", ""))
        return PublishedLetter(message_id, mark, tuple(papers), receipt)

    def get_standard_letter(self) -> PublishedLetter:
        """Get the one letter that nobody changes: two documents, all kinds of texts."""
        return self._keep("standard", self._publish_standard)

    def get_letter(self, name: str, **changes: Any) -> PublishedLetter:
        """Get a letter by a name of the checks', published when it is first asked for."""
        return self._keep(name, lambda: self.publish(**changes))

    def _publish_standard(self) -> PublishedLetter:
        dialect, mark = self.bench.dialect, make_mark()
        papers = (make_main(mark), make_annex(mark))
        message = self.make_message(
            mark,
            papers,
            subject={"nl": f"{mark} Crème Brûlée ok? This is some random"},
            forTheAttentionOf={dialect.attention_label: f"Dienst {mark[::-1]}"},
            businessDataList=[{"key": "conformance", "values": [{"nl": f"feit{mark[1:]}q"}]}],
            bodyContent={"nl": f"tekst{mark[2:]}y"},
        )
        receipt = self.post(message, papers, key=str(uuid4()))
        if receipt.status not in (200, 201):
            raise Untestable(f"The letter that this needs is not published ({receipt.status}).")
        return PublishedLetter(str(receipt.members().get("messageId", "")), mark, papers, receipt)

    def _keep(self, name: str, publish: Any) -> PublishedLetter:
        if name not in self._by_name:
            self._by_name[name] = publish()
        letter = self._by_name[name]
        self.bench.journal.recall(letter.receipt)
        return letter

    def _remember(self, exchange: Exchange) -> None:
        try:
            message_id = json.loads(exchange.body).get("messageId")
        except (ValueError, AttributeError):
            return
        if isinstance(message_id, str):
            self.message_ids.append(message_id)
            self.bench.forget_messages()


def make_mark() -> str:
    """Make a text of ten letters that is in no other message."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))
