"""What the core costs, as ratios against what must be done anyway, measured in one run."""
