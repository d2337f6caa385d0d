"""SMS: providers behind one interface, what goes out to devices and people, and what comes back."""
