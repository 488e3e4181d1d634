"""Documents of earlier snapshots, by way of the index that each run leaves for later ones."""
