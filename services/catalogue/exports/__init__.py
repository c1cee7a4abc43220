"""Courses in the formats in which partners deliver them."""
