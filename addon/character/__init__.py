"""What stands in the scene: rig, skin, keys, camera with the clip, confidence."""
