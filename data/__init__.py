"""The community's records: DuckDB store, migrations, named queries, importers. Knows space, not incidents' rules."""
