"""The matrix: a static site of many reports, registries against profiles, categories and requirements."""
