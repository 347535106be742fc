"""Makes the pictures of the README from a capture folder; nothing in them is drawn by hand."""
