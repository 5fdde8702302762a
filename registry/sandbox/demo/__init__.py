"""The tour that `make demo` takes through the main job."""
