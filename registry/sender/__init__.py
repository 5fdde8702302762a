"""The Document Sender's client: `registry publish` and `registry token`."""
