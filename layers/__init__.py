"""Drawing: frame, WGS 84 records, pydeck layer, deck. One file per layer."""
