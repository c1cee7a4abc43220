"""The printable pass of a pathway."""
