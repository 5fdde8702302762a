"""The worker: does what the clock asks for; calls services, and decides nothing itself."""
