"""Videos in: what to capture, the queue, fitting again, corrections."""
