"""Space and nothing else: coordinate systems, scale, repair, measuring, floors and units. Knows no database."""
