"""The hostile targets, by what is hostile about them."""
