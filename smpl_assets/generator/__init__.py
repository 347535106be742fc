"""Makes the bundled open body from MakeHuman's CC0 data. For developers: the product reads only the finished file."""
