"""A building from inside: section by entrances, storeys and rooms, and the plan of one storey."""
