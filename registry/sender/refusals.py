"""Meaning of a registry's refusals, and what a sender can do about them (contract section 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from registry.terminal.text import clean_text

LONGEST_QUOTE: Final = 300  # characters of what a server said


@dataclass(frozen=True)
class _KnownRefusal:
    """A refusal that is documented; what is None may be anything. `text` is part of its message."""

    advice: str
    status: int | None = None
    code: str | None = None
    text: str = ""

    def fits(self, status: int, code: str, message: str) -> bool:
        return (
            self.status in (None, status)
            and self.code in (None, code)
            and self.text.lower() in message.lower()
        )


# The first that fits explains, so a status alone comes last: it has many reasons, which some
# registries name by a code and others in their text only.
_REFUSALS: Final = (
    _KnownRefusal(
        "The enterprise must exist in the Crossroads Bank for Enterprises and be active there: "
        "check the numbers of recipient and sender.",
        text="is not a valid company",
    ),
    _KnownRefusal(
        "This application, message type and kind of recipient are not authorised together: check "
        "messageTypeId and senderApplicationId, or have the combination configured.",
        text="Invalid message configuration",
    ),
    _KnownRefusal(
        "The sender's number is not that of your token: send in your own name, or with a mandate "
        "and --on-behalf-of.",
        text="user credentials does not match payload",
    ),
    _KnownRefusal("This sender may not publish this message.", code="INVALID_SENDER"),
    _KnownRefusal(
        "The bytes that arrived do not have the digest announced: it must be SHA-256 in base64url, "
        "neither hexadecimal nor plain base64. Leave digest out of --message to have it computed.",
        code="DIGEST_DO_NOT_MATCH",
    ),
    _KnownRefusal(
        "This registry takes one language: keep only one of nl, fr and de in each text.",
        text="Multiple languages provided",
    ),
    _KnownRefusal(
        "This registry does not offer what the message asks for.", code="NOT_IMPLEMENTED"
    ),
    _KnownRefusal(
        "Exactly one document, or the body, must be the main content: name its part by --main.",
        text="No main content",
    ),
    _KnownRefusal(
        "Only one document, or the body, may be the main content: name its part by --main.",
        text="Too many main content",
    ),
    _KnownRefusal(
        "The media type is not one of the 15 that are allowed, for instance text/xml but not "
        "application/xml: give it as --file part=path;type.",
        text="mime type is not valid",
    ),
    _KnownRefusal(
        "Give one --file for every attachment of the message.",
        text="attachments number is inconsistent",
    ),
    _KnownRefusal(
        "Each httpPartName in the message must be the part of a --file.",
        text="do not match any file upload part",
    ),
    _KnownRefusal(
        "A file arrived without its type or name: this client sends both, so look at what stands "
        "between it and the registry.",
        text="Missing mediaType or fileName",
    ),
    _KnownRefusal("A property that is required is missing.", text="required keys not found"),
    _KnownRefusal("The message does not have the form that is asked for.", text="Invalid Schema"),
    _KnownRefusal(
        "The registry found malware in a document and kept nothing.", code="MALWARE_FOUND"
    ),
    _KnownRefusal(
        "A document is larger than the registry's malware scanner looks at: make it smaller or ask "
        "the Document Provider.",
        code="DOCUMENT_NOT_SCANNED",
    ),
    _KnownRefusal(
        "The access token is invalid, expired or missing: get a new one (`registry token`), from "
        "the authorization server of the same environment as --to.",
        status=401,
    ),
    _KnownRefusal(
        "The token is valid but lacks the scope: ask for publicationsender, or with --on-behalf-of "
        "for eboxrepresentativepublication.",
        status=403,
        text="scope",
    ),
    _KnownRefusal(
        "The token does not allow this: it needs the scope publicationsender; with --on-behalf-of "
        "the scope eboxrepresentativepublication and a mandate of that enterprise.",
        status=403,
    ),
    _KnownRefusal("There is no such operation here: --to is the URL that ends in /v3.", status=404),
    _KnownRefusal("This address does not take publications: is --to right?", status=405),
    _KnownRefusal(
        "This Idempotency-Key was used before by this sender and application, so nothing was "
        "published now: if that was this message, all is well, else leave --idempotency-key out.",
        status=409,
    ),
    _KnownRefusal("A document, or all together, are larger than this registry takes.", status=413),
    _KnownRefusal("The registry does not take this kind of request: is --to right?", status=415),
    _KnownRefusal(
        "You are sent elsewhere, which this client does not follow with your token: give the "
        "address itself as --to.",
        status=300,
    ),
    _KnownRefusal("The message is wrong: correct what is named above.", status=400),
)
_TROUBLES: Final = {
    408: "The registry did not get the request in time.",
    429: "You have sent more than your quota.",
    502: "The registry, or a service behind it, is ill.",
    503: "The registry is not available.",
    504: "The registry did not answer in time.",
}


def give_advice(status: int, members: Mapping[str, Any]) -> str:
    """Give one sentence on what the refusal means and what to do."""
    code, text = str(members.get("code", "")), " ".join(_texts(members))
    all_advice = (refusal.advice for refusal in _REFUSALS if refusal.fits(status, code, text))
    return next(all_advice, _TROUBLES.get(status, "This client does not know this answer."))


def quote_refusal(status: int, members: Mapping[str, Any]) -> str:
    """Quote what the registry itself says, fit for a terminal and without any SSIN."""
    texts = list(dict.fromkeys(_texts(members)))
    code = members.get("code") or members.get("type") or members.get("title")
    head = f"{status} {clean_text(code, LONGEST_QUOTE)}" if isinstance(code, str) else str(status)
    return ": ".join([head, *(clean_text(text, LONGEST_QUOTE) for text in texts)])


def _texts(members: Mapping[str, Any]) -> list[str]:
    """The texts of a StatusMessage or of a problem and its issues."""
    texts = [members.get("message"), members.get("detail")]
    issues = members.get("issues")
    for issue in issues[:10] if isinstance(issues, list) else []:
        if isinstance(issue, dict):
            where, what = issue.get("name"), issue.get("detail")
            texts.append(f"{where}: {what}" if isinstance(where, str) else what)
    return [text for text in texts if isinstance(text, str) and text]
