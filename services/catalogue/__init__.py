"""Catalogue:

Courses from many partners, described honestly, found fast, tied to what the labour market needs.
"""
