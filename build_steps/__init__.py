"""What build.py does, verb by verb. Standard library only: this runs before anything is installed."""
