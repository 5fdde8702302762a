"""Assembly of the malware scanner, as the settings have it."""

from registry.blobs.clamd import Clamd
from registry.blobs.waits import WaitSlots
from registry.settings import Settings
from registry.wiring.readings import show_breaker, show_slots


def make_scanner(settings: Settings) -> Clamd | None:
    """Make the scanner; None where no setting names one."""
    address = settings.clamd_address
    if not address:
        return None
    host, _, port = address.rpartition(":")
    slots = settings.clamd_slots or max(1, settings.database_pool_size // 2)
    clamd = Clamd(
        (host, int(port)),
        settings.clamd_timeout,
        settings.clamd_file_size,
        show_slots(WaitSlots(slots), "malware scanner"),
        accepts_unscanned=settings.clamd_unscanned == "accept",
    )
    show_breaker(clamd.breaker, "malware scanner")
    return clamd
