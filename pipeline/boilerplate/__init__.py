"""Lines that a site puts on many of its pages: navigation, cookie notices, share buttons, copyright."""
