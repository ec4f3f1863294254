"""Where a project is, from files, addresses and names; without git, storage or a server."""
