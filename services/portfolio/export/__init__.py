"""Everything that is kept of a holder, as one archive."""
