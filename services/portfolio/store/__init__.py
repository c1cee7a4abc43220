"""Tables and statements, one file per aggregate."""
