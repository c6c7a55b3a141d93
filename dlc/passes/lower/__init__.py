"""From placed fragments to the instruction list of each gang."""
