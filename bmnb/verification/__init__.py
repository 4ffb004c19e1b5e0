"""Whether the target has what the origin has: files, mail, databases, configuration."""
