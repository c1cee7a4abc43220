"""Reactions of the catalogue to events: none yet; its index follows the database itself."""
