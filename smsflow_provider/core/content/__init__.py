"""What they read: templates, encodings, parts, transliteration."""
