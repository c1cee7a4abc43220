"""What goes on with partners around a feed: it is fetched, taken record by record, and reported on."""
