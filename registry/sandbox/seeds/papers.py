"""Real PDF files, made when the sandbox starts."""

from io import BytesIO
from typing import Final

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

_MARGIN: Final = 72  # points
_LINE: Final = 18


def letter(title: str, *lines: str) -> bytes:
    """One A4 page: a title and some lines under it."""
    paper = BytesIO()
    canvas = Canvas(paper, pagesize=A4, invariant=True)
    canvas.setTitle(title)
    _, height = A4
    canvas.setFont("Helvetica-Bold", 16)
    canvas.drawString(_MARGIN, height - _MARGIN, title)
    canvas.setFont("Helvetica", 11)
    for number, line in enumerate(lines, start=2):
        canvas.drawString(_MARGIN, height - _MARGIN - number * _LINE, line)
    canvas.showPage()
    canvas.save()
    return paper.getvalue()
