"""Readers of motion capture: each gives the same clips, whatever the files look like."""
