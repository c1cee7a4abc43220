"""Statements of the catalogue, one file per aggregate."""
