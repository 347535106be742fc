"""The Blender side: panels, operators, rig building, keying, checked export.

Imports bpy, numpy and the standard library only; capture runs in a worker process (worker.py).
Importing this package itself does not import bpy.
"""
