"""Script and style of the phone page of a check-in server."""
