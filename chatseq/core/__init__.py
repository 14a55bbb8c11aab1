"""What everything stands on: errors, values, recipes, options, plugins, files."""
