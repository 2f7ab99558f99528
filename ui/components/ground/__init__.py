"""The plan on which gates and walls are drawn."""
