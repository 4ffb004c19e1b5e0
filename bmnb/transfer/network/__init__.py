"""Programs that move a server's address in its network configuration; run on the server, see `__main__`."""
