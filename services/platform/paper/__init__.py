"""Pages for people, as PDF."""
