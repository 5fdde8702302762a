"""What several tests of serving need."""

import pytest

from registry.domain.identifiers import EboxKind
from registry.sandbox.personas import CONSUMER
from tests.conftest import V3
from tests.factories import a_file, an_ebox
from tests.wire import LARGE, head


@pytest.fixture
def download(party, deliver):
    """The request for a large document."""
    ebox = an_ebox()
    message_id = deliver(ebox, a_file(LARGE), content=LARGE)
    token = party(CONSUMER, enterprise=ebox.number)
    path = f"{V3[EboxKind.ENTERPRISE]}/ebox/messages/{message_id}/attachments/1/content"
    return head("GET", path, token)
