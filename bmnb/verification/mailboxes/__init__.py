"""What runs on the servers to prove every mailbox by protocol, with Python from 3.6 on: it imports nothing of this project."""
