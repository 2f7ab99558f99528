"""
Colours of the night table, as (red, green, blue) or with opacity.

Saturated red is an alarm and nothing else: a test looks for it in the picture. What matters tells itself apart by form
too: rentals are lit windows, suspected group rentals full boxes under a diamond, key sites a pin with a character.
"""

from __future__ import annotations

Colour = tuple[int, int, int] | tuple[int, int, int, int]

PAGE: Colour = (9, 15, 28)
EARTH: Colour = (21, 33, 51)
OUTSIDE: Colour = (12, 20, 35)
BORDER: Colour = (96, 190, 230, 235)
GRID_LINE: Colour = (92, 150, 190, 120)
ZONE_LINE: Colour = (95, 208, 180, 220)
ZONE_FACE: Colour = (95, 208, 180, 34)
WALL: Colour = (120, 132, 150)
FENCE: Colour = (92, 108, 124)
RENTAL: Colour = (255, 190, 84)
GROUP_RENTAL: Colour = (238, 92, 220)
KEY_SITE: Colour = (70, 214, 232)
RESPONDER: Colour = (150, 232, 170)
HOT: Colour = (255, 158, 66)
SHADOW: Colour = (4, 8, 16, 120)
DUE: dict[str, Colour] = {"overdue": (255, 178, 74), "today": (124, 196, 238), "later": (110, 134, 166)}
FRESHNESS: dict[str, Colour] = {"fresh": (112, 206, 160), "ageing": (214, 202, 128), "old": (128, 136, 148)}

LAND: dict[str, Colour] = {
    "green": (26, 52, 54),
    "water": (22, 66, 104),
    "square": (44, 53, 70),
    "pitch": (32, 66, 66),
    "parking": (34, 44, 60),
}
ROAD: dict[str, Colour] = {
    "main": (62, 78, 104),
    "secondary": (57, 72, 97),
    "inner": (50, 65, 88),
    "service": (46, 60, 82),
    "footpath": (42, 56, 72),
    "steps": (60, 64, 76),
    "cycleway": (44, 62, 80),
    "other": (46, 60, 82),
}
USE: dict[str, Colour] = {
    "residential": (98, 118, 150),
    "mixed": (118, 116, 160),
    "commercial": (142, 132, 128),
    "market": (150, 138, 120),
    "office": (112, 136, 172),
    "police": (84, 140, 208),
    "school": (96, 146, 136),
    "kindergarten": (112, 156, 132),
    "clinic": (128, 158, 168),
    "hotel": (146, 126, 156),
    "warehouse": (108, 112, 120),
    "shed": (84, 92, 104),
    "public": (120, 142, 164),
    "industrial": (106, 108, 114),
    "unknown": (88, 100, 120),
}
ROOF: dict[str, Colour] = {"tile": (116, 104, 106), "flat": (86, 98, 116), "plain": (92, 104, 122)}


def lighten(colour: Colour, share: float) -> Colour:
    """`colour` moved towards white by `share`, opacity left out."""
    red, green, blue = (round(c + (255 - c) * share) for c in colour[:3])
    return (red, green, blue)
