"""What `python -m habn` can do; nothing else imports a module of this room."""
