"""Credentials that anybody can verify: canonical forms, proofs, keys, status lists, and what a check finds."""
