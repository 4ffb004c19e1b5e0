"""How files, databases, configuration and the address get from the origin to the target."""
