import requests

from registry.sandbox.federation.process import Federation
from registry.sandbox.personas import BAKERY, PERSONAS
from registry.sandbox.servers.processes import is_free
from registry.sandbox.tokens import fetch


def test_the_stand_ins_as_a_process(enrolled, tmp_path):
    with Federation(enrolled.federation, log=tmp_path / "log") as federation:
        assert federation.running
        token = fetch(federation.token_url, PERSONAS["registry"], enrolled.keys)
        answer = requests.get(
            f"{federation.partition_url}/ebox/{BAKERY}/partitions",
            headers={"Authorization": f"Bearer {token}"},
            timeout=5,
        )

    assert answer.status_code == 200
    assert not federation.running
    assert is_free(federation.port)
    assert token not in (tmp_path / "log").read_text()
