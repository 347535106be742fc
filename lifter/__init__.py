"""From a video to SMPL motion, without Blender. Importing this package needs numpy only."""
