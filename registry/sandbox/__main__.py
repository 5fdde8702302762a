"""`python -m registry.sandbox` is `registry sandbox`."""

from registry.sandbox.cli import sandbox

if __name__ == "__main__":
    sandbox(prog_name="registry sandbox")
