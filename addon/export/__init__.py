"""Files for game engines, written, read back and compared."""
