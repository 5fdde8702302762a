"""Where version 2.1 is served."""

from tests.conftest import V3

V2 = {kind: base.replace("/v3", "/v2") for kind, base in V3.items()}
