"""What is installed, and what works with only that."""
