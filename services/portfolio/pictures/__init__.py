"""Small pictures of images that people upload."""
