"""The sandbox writes whom `registry conformance` may call as."""

import pytest

from registry.conformance.callers.callers_file import read_callers
from registry.conformance.requirement import Role
from registry.sandbox.callers_files import write_callers_files
from registry.sandbox.layout import Layout
from registry.sandbox.personas import enroll


@pytest.mark.parametrize(
    ("family", "parts"),
    [
        ("enterprise", {"consumer", "person", "other", "sender", "no-scope", "federation"}),
        ("citizen", {"person", "other", "sender", "no-scope"}),
    ],
)
def test_the_personas_play_their_parts(tmp_path, federation, family, parts):
    layout = Layout.at(tmp_path)
    enroll(layout.keys, layout.federation)

    write_callers_files(layout, federation.token_url)

    callers = read_callers(tmp_path / f"callers-{family}.toml", None)
    assert set(callers.parties) == parts
    assert callers.find(Role.READER).number
    assert callers.stock.sent_message
