"""Texts of others, made fit for a terminal."""

from registry.domain.personal_data import mask_personal_numbers


def clean_text(text: str | None, longest: int | None = None) -> str:
    """Take out SSINs and what could play tricks on a terminal; cut at `longest` characters."""
    printable = text or ""
    if not printable.isprintable():
        printable = "".join(each if each.isprintable() else " " for each in printable)
    safe_text = mask_personal_numbers(printable)
    return safe_text if longest is None or len(safe_text) <= longest else f"{safe_text[:longest]}…"
