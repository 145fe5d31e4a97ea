"""How fast contact fields become digests, beside other ways to do it."""
