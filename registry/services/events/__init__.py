"""Use cases of the federation's event service: delivery, reminders, administration."""
