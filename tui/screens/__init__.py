"""The screens: the dashboard and the sheets that lie over it."""
