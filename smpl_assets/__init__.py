"""The body model: bundled open body, loader for licensed SMPL files, landmark table. Needs numpy only."""
