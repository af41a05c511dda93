"""Ways to the server: Ray, zenoh, and a socket on the same machine."""
