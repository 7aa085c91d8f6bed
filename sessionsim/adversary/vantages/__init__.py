"""Vantages, one file each. Found by the registry's scan."""
