"""Reactions of the catalogue to events of the other services; its index follows the database itself."""
