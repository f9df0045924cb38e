"""Modules and weights that others wrote: aligned, compared, moved."""
