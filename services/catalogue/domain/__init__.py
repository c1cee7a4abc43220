"""Rules of the catalogue in pure Python."""
