"""Pictures of the results; none needs a window system."""
