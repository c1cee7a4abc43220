"""The one public address: Envoy, configured from the contracts, and the documents made from them."""
