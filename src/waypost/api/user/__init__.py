"""Actions of the user API, a package per first part of the path."""
