"""Ordered migrations, one SQL file each. A landed file is never changed: a new one is added."""
