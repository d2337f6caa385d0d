"""``apn_settings/*``: access points by phone number."""
