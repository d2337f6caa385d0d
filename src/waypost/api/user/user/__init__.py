"""Log-in, session, and what a user is and has set."""
