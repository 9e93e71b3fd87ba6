"""Where this project lives. The one place that knows."""

ADDRESS = ""  # a URL; empty until the project has one, and then nothing is claimed
