"""What three services would otherwise write three times; knows no domain."""
