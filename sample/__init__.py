"""The seeded synthetic community."""
