"""Distances on the earth. Pure."""

from __future__ import annotations

import math

RADIUS_KM = 6371.0088


def kilometres(latitude: float, longitude: float, to_latitude: float, to_longitude: float) -> float:
    """Distance of two positions on a sphere."""
    lat1, lat2 = math.radians(latitude), math.radians(to_latitude)
    half_lat = math.sin((lat2 - lat1) / 2)
    half_lng = math.sin(math.radians(to_longitude - longitude) / 2)
    inner = half_lat * half_lat + math.cos(lat1) * math.cos(lat2) * half_lng * half_lng
    return 2 * RADIUS_KM * math.asin(min(1.0, math.sqrt(inner)))
