"""Vehicles that drive plausible routes and speak real protocols to a server.

A :class:`~waypost.emulator.vehicle.Vehicle` knows nothing of protocols, a device
(``waypost.emulator.devices``) nothing of sockets, a link (``waypost.emulator.links``) nothing of
either; ``fleet`` puts them together.
"""
