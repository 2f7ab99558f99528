"""Standard addresses of buildings."""

from __future__ import annotations

import pandas as pd
import shapely

from data.importing.community import Community
from data.importing.incoming import Incoming


def building_addresses(buildings: Incoming, community: Community) -> Incoming:
    """Rows for `addresses`, one for each building with a number or a name; sets `address_id` in `buildings`."""
    frame = buildings.frame
    spoken = (frame["number"] + "幢").fillna(frame["name"])
    has = spoken.notna()
    address_id = ("a-" + frame["building_id"]).where(has)
    frame["address_id"] = address_id
    text = community.address_start + frame["zone"].fillna("").where(frame["number"].notna(), "") + spoken
    rows = pd.DataFrame(
        {
            "address_id": address_id[has],
            "full_text": text[has],
            "zone": frame["zone"][has],
            "building": frame["number"].fillna(frame["name"])[has],
            "building_id": frame["building_id"][has],
            "geom": shapely.point_on_surface(frame["geom"][has].to_numpy(dtype=object)),
        }
    ).reset_index(drop=True)
    return Incoming("addresses", "address_id", rows)
