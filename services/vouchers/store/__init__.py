"""Tables and the statements on them, one file an aggregate."""
