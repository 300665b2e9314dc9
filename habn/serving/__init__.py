"""What stands between the page and the machine it runs on: memory, and nothing that knows what the page shows."""
