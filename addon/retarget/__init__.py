"""The motion on the user's own character: bone maps, poses, feet."""
