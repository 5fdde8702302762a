"""`python -m registry.sandbox.federation DIR PORT`: the stand-ins as a process."""

import sys
from pathlib import Path

from registry.sandbox.federation.server import serve

if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
