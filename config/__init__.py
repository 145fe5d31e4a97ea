"""The settings: their models, the annotated example, their documentation."""
