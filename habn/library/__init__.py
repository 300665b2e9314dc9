"""What `import habn` offers beside the layer: a comparison in one call, and what can be kept of it."""
