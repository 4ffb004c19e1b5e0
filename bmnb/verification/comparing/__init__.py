"""What runs on both servers to compare them, with their Python from 3.5 on: it imports nothing of this project."""
