"""Main roads of Berlin, by their crossings: enough for a vehicle to follow real streets on a map.

Crossings are good to some fifty metres. A road is named by the crossings along it, in order; it is
straight between two of them, which these boulevards nearly are.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise
from math import atan2, cos, degrees, hypot, radians

#: Metres in a degree of latitude.
METRES = 111_320.0

#: Latitude and longitude of crossings, degrees WGS 84.
CROSSINGS: dict[str, tuple[float, float]] = {
    "Theodor-Heuss-Platz": (52.50977, 13.27294),
    "Sophie-Charlotte-Platz": (52.51097, 13.29640),
    "Deutsche Oper": (52.51190, 13.30980),
    "Ernst-Reuter-Platz": (52.51268, 13.32189),
    "Tiergarten": (52.51404, 13.33630),
    "Großer Stern": (52.51451, 13.35011),
    "Brandenburger Tor": (52.51625, 13.37640),
    "Wilhelmstraße": (52.51655, 13.38160),
    "Unter den Linden": (52.51690, 13.38890),
    "Schlossbrücke": (52.51777, 13.39890),
    "Spandauer Straße": (52.52010, 13.40440),
    "Alexanderplatz": (52.52290, 13.41100),
    "Otto-Braun-Straße": (52.52180, 13.41700),
    "Strausberger Platz": (52.51836, 13.42845),
    "Weberwiese": (52.51680, 13.44500),
    "Frankfurter Tor": (52.51571, 13.45420),
    "Samariterstraße": (52.51475, 13.46460),
    "Frankfurter Allee": (52.51385, 13.47540),
    "Magdalenenstraße": (52.51250, 13.48710),
    "Lichtenberg": (52.51080, 13.49750),
    "Kleiner Stern": (52.51250, 13.36080),
    "Potsdamer Platz": (52.50938, 13.37630),
    "Leipziger Straße": (52.51040, 13.39020),
    "Spittelmarkt": (52.51130, 13.40240),
    "Jannowitzbrücke": (52.51500, 13.41800),
    "Oranienburger Tor": (52.52510, 13.38760),
    "Kochstraße": (52.50660, 13.39060),
    "Hallesches Tor": (52.49775, 13.39150),
    "Mehringdamm": (52.49350, 13.38810),
    "Platz der Luftbrücke": (52.48545, 13.38590),
    "Tempelhof": (52.47080, 13.38560),
    "Naturkundemuseum": (52.53110, 13.38140),
    "Reinickendorfer Straße": (52.53990, 13.37030),
    "Wedding": (52.54280, 13.36650),
    "Leopoldplatz": (52.54650, 13.35940),
    "Hauptbahnhof": (52.52640, 13.36940),
    "Turmstraße": (52.52580, 13.34150),
    "Hansaplatz": (52.51800, 13.34230),
    "Lützowplatz": (52.50350, 13.35230),
    "Nollendorfplatz": (52.49930, 13.35370),
    "Wittenbergplatz": (52.50180, 13.34330),
    "Breitscheidplatz": (52.50420, 13.33540),
    "Uhlandstraße": (52.50270, 13.32720),
    "Olivaer Platz": (52.50000, 13.31300),
    "Adenauerplatz": (52.49960, 13.30740),
    "Halensee": (52.49650, 13.29050),
    "Bülowstraße": (52.49750, 13.36260),
    "Yorckstraße": (52.49240, 13.37040),
    "Südstern": (52.48950, 13.40770),
    "Hermannplatz": (52.48700, 13.42470),
    "Kottbusser Tor": (52.49906, 13.41825),
    "Moritzplatz": (52.50370, 13.41060),
    "Heinrich-Heine-Straße": (52.51030, 13.41620),
    "Görlitzer Bahnhof": (52.49910, 13.42830),
    "Schlesisches Tor": (52.50090, 13.44170),
    "Oberbaumbrücke": (52.50180, 13.44560),
    "Warschauer Straße": (52.50590, 13.44900),
    "Rathaus Neukölln": (52.48110, 13.43500),
    "Sonnenallee": (52.47300, 13.45600),
    "Treptower Park": (52.49350, 13.46000),
    "Boddinstraße": (52.47970, 13.42570),
    "Leinestraße": (52.47330, 13.42830),
    "Rosa-Luxemburg-Platz": (52.52760, 13.41050),
    "Senefelderplatz": (52.53260, 13.41260),
    "Eberswalder Straße": (52.54120, 13.41220),
    "Schönhauser Allee": (52.54940, 13.41390),
    "Prenzlauer Tor": (52.52830, 13.41700),
    "Prenzlauer Allee": (52.53690, 13.42460),
    "Greifswalder Straße": (52.53380, 13.43420),
    "Landsberger Allee": (52.52900, 13.44100),
    "Platz der Vereinten Nationen": (52.52330, 13.42980),
    "Bersarinplatz": (52.51860, 13.45310),
    "Bernauer Straße": (52.53800, 13.39620),
}

#: Roads: speed limit in km/h, and the crossings along them.
ROADS: tuple[tuple[int, tuple[str, ...]], ...] = (
    (50, ("Theodor-Heuss-Platz", "Sophie-Charlotte-Platz", "Deutsche Oper", "Ernst-Reuter-Platz",
          "Tiergarten", "Großer Stern", "Brandenburger Tor", "Wilhelmstraße")),
    (30, ("Wilhelmstraße", "Unter den Linden", "Schlossbrücke", "Spandauer Straße",
          "Alexanderplatz")),
    (50, ("Alexanderplatz", "Otto-Braun-Straße", "Strausberger Platz", "Weberwiese",
          "Frankfurter Tor", "Samariterstraße", "Frankfurter Allee", "Magdalenenstraße",
          "Lichtenberg")),
    (50, ("Großer Stern", "Kleiner Stern", "Potsdamer Platz")),
    (30, ("Potsdamer Platz", "Leipziger Straße", "Spittelmarkt")),
    (50, ("Spittelmarkt", "Jannowitzbrücke", "Otto-Braun-Straße")),
    (30, ("Oranienburger Tor", "Unter den Linden", "Leipziger Straße", "Kochstraße",
          "Hallesches Tor")),
    (50, ("Hallesches Tor", "Mehringdamm", "Platz der Luftbrücke", "Tempelhof")),
    (50, ("Oranienburger Tor", "Naturkundemuseum", "Reinickendorfer Straße", "Wedding",
          "Leopoldplatz")),
    (50, ("Naturkundemuseum", "Hauptbahnhof", "Turmstraße")),
    (50, ("Turmstraße", "Hansaplatz", "Großer Stern", "Lützowplatz", "Nollendorfplatz")),
    (50, ("Ernst-Reuter-Platz", "Breitscheidplatz")),
    (50, ("Nollendorfplatz", "Wittenbergplatz", "Breitscheidplatz", "Uhlandstraße",
          "Olivaer Platz", "Adenauerplatz", "Halensee", "Theodor-Heuss-Platz")),
    (50, ("Nollendorfplatz", "Bülowstraße", "Yorckstraße", "Mehringdamm", "Südstern",
          "Hermannplatz", "Rathaus Neukölln", "Sonnenallee", "Treptower Park",
          "Schlesisches Tor")),
    (50, ("Potsdamer Platz", "Bülowstraße")),
    (50, ("Hermannplatz", "Kottbusser Tor", "Moritzplatz", "Heinrich-Heine-Straße",
          "Jannowitzbrücke")),
    (50, ("Kochstraße", "Moritzplatz")),
    (50, ("Hallesches Tor", "Kottbusser Tor", "Görlitzer Bahnhof", "Schlesisches Tor",
          "Oberbaumbrücke", "Warschauer Straße", "Frankfurter Tor", "Bersarinplatz",
          "Landsberger Allee", "Greifswalder Straße", "Prenzlauer Allee", "Eberswalder Straße",
          "Bernauer Straße", "Naturkundemuseum")),
    (30, ("Hermannplatz", "Boddinstraße", "Leinestraße", "Tempelhof")),
    (50, ("Alexanderplatz", "Rosa-Luxemburg-Platz", "Senefelderplatz", "Eberswalder Straße",
          "Schönhauser Allee")),
    (50, ("Alexanderplatz", "Prenzlauer Tor", "Prenzlauer Allee")),
    (50, ("Otto-Braun-Straße", "Greifswalder Straße")),
    (50, ("Prenzlauer Tor", "Platz der Vereinten Nationen", "Landsberger Allee")),
    (50, ("Strausberger Platz", "Platz der Vereinten Nationen")),
    (50, ("Schönhauser Allee", "Bernauer Straße")),
    (50, ("Samariterstraße", "Bersarinplatz")),
)  # fmt: skip


def _network() -> dict[str, dict[str, int]]:
    network: dict[str, dict[str, int]] = defaultdict(dict)
    for limit, crossings in ROADS:
        for a, b in pairwise(crossings):
            network[a][b] = network[b][a] = limit
    return dict(network)


#: Crossing -> the crossings one can drive to from it, with the road's limit in km/h.
NETWORK = _network()


def leg(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Metres and heading (degrees from north, 0 to 360) of the straight line between two points.
    On a plane, which is exact to a millimetre or so per hundred metres in one city."""
    north = (end[0] - start[0]) * METRES
    east = (end[1] - start[1]) * METRES * cos(radians((start[0] + end[0]) / 2))
    return hypot(north, east), degrees(atan2(east, north)) % 360
