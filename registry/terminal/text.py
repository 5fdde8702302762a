"""Texts of others, made fit for a terminal."""

from registry.domain.personal_data import mask_personal_numbers


def clean_text(text: str | None, longest: int | None = None) -> str:
    """Take out SSINs and what could play tricks on a terminal; cut at `longest` characters."""
    printable = "".join(character if character.isprintable() else " " for character in text or "")
    safe_text = mask_personal_numbers(printable)
    return safe_text if longest is None or len(safe_text) <= longest else f"{safe_text[:longest]}…"
