"""Processes beside Blender: started, followed, stopped; what they say, and what went wrong."""
