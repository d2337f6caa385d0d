"""Where a device is by the mobile cells and Wi-Fi access points that it hears: a local table of
cells, an HTTP provider, and the worker that stores what they say as points."""
