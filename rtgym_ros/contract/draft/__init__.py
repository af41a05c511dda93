"""A first contract, out of what a running robot shows and its URDF says."""
