"""Gangs bound to the machine, with predicted rows and bytes."""
