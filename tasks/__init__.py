"""Rules of work: inspections, task push, verification, check-in. Empty until the issue that builds them."""
