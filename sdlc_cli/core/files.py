"""Finding files (git's ignore rules kept), the cache folder, and writing all or nothing."""
