"""Formats in which a portfolio leaves as a document and comes back, one file a format."""
