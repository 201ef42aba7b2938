"""Everything that knows Faust: the app, its batch transport, table, recovery and flush."""
