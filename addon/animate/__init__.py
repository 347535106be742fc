"""Posing and keys: control rig, key reduction, root motion, loops, shape keys."""
