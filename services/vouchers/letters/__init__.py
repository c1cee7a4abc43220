"""Letters that tell a decision or demand money back: what they say, in which words, as HTML and as PDF."""
