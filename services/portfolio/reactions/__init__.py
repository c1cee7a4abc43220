"""What the portfolio does on events, one file per event."""
