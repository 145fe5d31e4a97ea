"""How calm, how right and how fast the clustering is, beside plain scikit-learn and plain SQL."""
