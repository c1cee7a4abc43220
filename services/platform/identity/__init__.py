"""Who calls: access tokens and principals."""
