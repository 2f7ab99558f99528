"""Rules of incidents: hotspots and repeat places. Computes on the frames it is given."""
