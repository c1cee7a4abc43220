"""Objects: files in S3, uploaded by ticket, checked before use."""
