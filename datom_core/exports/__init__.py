"""Write tables into files of the kinds that other people read."""
