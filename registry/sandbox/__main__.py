"""`python -m registry.sandbox` is `registry sandbox`."""

from registry.sandbox.commands.sandbox import sandbox

if __name__ == "__main__":
    sandbox(prog_name="registry sandbox")
