"""Balance: the mixtures a corpus stores and the weights its records carry."""
