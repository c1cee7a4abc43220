"""Letters that tell a decision: what they say, in which words, as HTML and as PDF."""
