"""The private environment that captures run in: made, looked at, repaired."""
