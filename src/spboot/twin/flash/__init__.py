"""Flash controllers, one file for each kind of them, and the caches before them."""
