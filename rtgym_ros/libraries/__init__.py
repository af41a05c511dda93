"""What a single learning library needs beside ``gymnasium``'s interface, a file a library, which imports it."""
