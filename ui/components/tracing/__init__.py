"""Drawing a floor plan over a photo of it, in the browser."""
