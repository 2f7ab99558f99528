"""HTTP beside the pages: scene files, events, commands of the command line."""
