"""README and the drawing of the house; of the other pages `make docs` looks at every link."""

import re
import runpy

import pytest

from tests.documentation.examples import DOCS

CHECKOUT = DOCS.parent


def test_the_house_is_drawn_as_it_is():
    """`python docs/site/house.py` draws it anew."""
    house = runpy.run_path(str(DOCS / "site" / "house.py"))

    assert (DOCS / "house.svg").read_text() == house["draw_house"]()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_every_link_leads_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)", (CHECKOUT / page).read_text())

    files = [link for link in links if not link.startswith("https://")]
    assert files
    assert [link for link in files if not (CHECKOUT / link).exists()] == []


def test_readme_stays_short():
    assert len((CHECKOUT / "README.md").read_text().splitlines()) <= 70
