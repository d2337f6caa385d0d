"""``vehicle/*``: an account's vehicles."""
