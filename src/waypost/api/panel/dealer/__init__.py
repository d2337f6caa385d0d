"""The dealer itself: settings, activation codes."""
