"""`python -m registry.sandbox.portal DIR PORT`: the portal of the sandbox in DIR as a process."""

import sys
from pathlib import Path

from registry.sandbox.layout import Layout
from registry.sandbox.portal.server import serve

if __name__ == "__main__":
    serve(Layout.at(Path(sys.argv[1])), int(sys.argv[2]))
