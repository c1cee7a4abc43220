"""Readers of partners' and publishers' files, one file a format, and the one path every feed takes."""
