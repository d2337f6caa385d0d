"""Actions of the panel API, a package per first part of the path."""
