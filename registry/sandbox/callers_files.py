"""Files of callers for `registry conformance`: the personas, by the part that each can play."""

from pathlib import Path
from typing import Final

from registry.sandbox.files import write_private
from registry.sandbox.layout import Layout
from registry.sandbox.personas import AGENCY, BAKERY, CITIZEN, PERSONAS, SENDER
from registry.sandbox.seeds.names import SENT_FROM_B, make_message_id

_SENDER: Final = {
    "scope": SENDER,
    "number": AGENCY.digits,
    "application": "sandbox-sender",
    "message_type": "information-letter",
}
# Parts, their personas, and what is to be known of them beside their keys.
_PARTS: Final[dict[str, dict[str, tuple[str, dict[str, str]]]]] = {
    "enterprise": {
        "consumer": ("enterprise-consumer", {"number": BAKERY.digits}),
        "person": ("portal-user", {"locked_partition": "partitionNoAccess"}),
        "other": ("other-enterprise", {}),
        "sender": ("sender", _SENDER),
        "no-scope": ("no-scope", {}),
        "federation": ("portal", {}),
    },
    "citizen": {
        "person": ("citizen", {"number": CITIZEN.digits}),
        "other": ("other-enterprise", {}),
        "sender": ("sender", _SENDER),
        "no-scope": ("no-scope", {}),
    },
}


def write_callers_files(layout: Layout, token_url: str) -> None:
    """Write callers-enterprise.toml and callers-citizen.toml into the sandbox's directory."""
    revoke_url = f"{token_url.removesuffix('/token')}/revoke"
    sent_message = make_message_id(SENT_FROM_B)
    for family, parts in _PARTS.items():
        lines = [f'token_url = "{token_url}"', f'revoke_url = "{revoke_url}"']
        for part, (persona, facts) in parts.items():
            lines += ["", f"[{part}]", *_write_table(layout.key(persona), persona, facts)]
        lines += ["", "[scenarios]", f'sent_message = "{sent_message}"']
        write_private(layout.directory / f"callers-{family}.toml", "\n".join(lines) + "\n")


def _write_table(key: Path, persona: str, facts: dict[str, str]) -> list[str]:
    members = {
        "client_id": PERSONAS[persona].client_id,
        "key": str(key),
        "algorithm": PERSONAS[persona].algorithm,
        **facts,
    }
    return [f'{name} = "{text}"' for name, text in members.items()]
