"""``smsflow bench``: how fast this machine prepares, as ratios to references of the same run."""
