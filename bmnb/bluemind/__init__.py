"""What BlueMind is: its paths, services, packages, settings and API."""
