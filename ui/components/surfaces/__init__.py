"""Surfaces that follow one another: wall, second screen, desk and tablet."""
