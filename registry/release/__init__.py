"""How a release is made: `make release VERSION=1.2.3`, and `make dist` without a tag."""
