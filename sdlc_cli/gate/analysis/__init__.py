"""What the engines compute from one parsed file: bandit's tests and radon's numbers, faster."""
