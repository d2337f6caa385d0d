"""E-mail: what the outgoing queue has for people, composed and handed to a mail server."""
