"""The page of visits on a phone: its scripts and style, served by server/visits.py."""
