"""Features in, segments out that keep their identity; the only place that knows scikit-learn."""
