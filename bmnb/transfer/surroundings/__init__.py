"""What a database needs of its server and no dump of it holds: roles, settings, rights, extensions, tablespaces."""
