"""Values to text and JSON. Everything here returns; nothing prints, reads a file or looks at the environment."""
