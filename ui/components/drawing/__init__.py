"""A drawing that can be clicked."""
