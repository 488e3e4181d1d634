"""New languages for a trained model: growing it, holding what is old, and starting what is new."""
