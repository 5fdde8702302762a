"""Parts of a command line that operators, senders and the sandbox share."""
