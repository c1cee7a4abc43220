"""Pages as people read them: HTML for the web and for print, and PDF from it."""
