"""What the service does on events of the catalogue and the portfolio, one file an event."""
