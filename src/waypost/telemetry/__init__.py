"""What devices say and what it means: pure functions and records, no I/O and no clock."""
