"""Names of members and paths, which differ from one version to the other."""

from dataclasses import dataclass
from typing import Any, Final

from registry.conformance.requirement import ENTERPRISE, V2, V3

LANGUAGES: Final = ("nl", "fr", "de")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Names of a version; `publication` and `reference` are paths below the base."""

    version: str
    is_read: str
    is_visible: str
    is_registered: str
    is_main: str
    is_body_main: str
    is_reply_authorized: str
    publication: str
    reference: str
    attention_number: str
    attention_label: str

    def read_sender(self, message: dict[str, Any]) -> str:
        """Read the number of the sender of a message; empty without one."""
        if self.version == V2:
            return str(message.get("senderOrganizationId", ""))
        return str(message.get("sender", {}).get("enterpriseNumber", ""))

    def make_recipient(self, family: str, number: str) -> dict[str, Any]:
        """Make the member that names an e-Box."""
        if self.version == V2:
            return {"eboxType": family, "eboxIdValue": number}
        name = "enterpriseNumber" if family == ENTERPRISE else "ssin"
        return {"eboxType": family, name: number}

    def make_sender(self, number: str) -> dict[str, Any]:
        """Make the members of a publication that name its sender."""
        if self.version == V2:
            return {"senderOrganizationId": number}
        return {"sender": {"eboxType": ENTERPRISE, "enterpriseNumber": number}}

    def make_flags(self) -> dict[str, bool]:
        """Make the booleans that a publication must have."""
        if self.version == V2:
            return {self.is_body_main: False, self.is_reply_authorized: False}
        return {}


DIALECTS: Final = {
    V3: Dialect(
        version=V3,
        is_read="isRead",
        is_visible="isVisible",
        is_registered="isRegisteredMail",
        is_main="isMainContent",
        is_body_main="isBodyMainContent",
        is_reply_authorized="isReplyAuthorized",
        publication="/ebox/messages",
        reference="/refData",
        attention_number="ssin",
        attention_label="label",
    ),
    V2: Dialect(
        version=V2,
        is_read="readStatus",
        is_visible="visible",
        is_registered="registeredMail",
        is_main="mainContent",
        is_body_main="bodyMainContent",
        is_reply_authorized="replyAuthorized",
        publication="/publishMessage",
        reference="/referenceData",
        attention_number="id",
        attention_label="name",
    ),
}
