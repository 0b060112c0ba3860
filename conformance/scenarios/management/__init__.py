"""Management: deletion of tags, manifests and blobs."""
