"""What devices cost and what they are sold with: tariffs, charging, activation codes, bundles."""
