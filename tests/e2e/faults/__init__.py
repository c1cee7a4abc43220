"""Faults of a running stack: what is killed, stopped or restarted under load, and what must hold then."""
