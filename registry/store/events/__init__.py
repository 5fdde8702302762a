"""SQL of the outbox, its delivery and the reminders."""
