"""What must hold: the OpenAPI document, the JSON Schemas and the catalogue of requirements."""
