"""Far sides, clocks and records that several test folders share."""
