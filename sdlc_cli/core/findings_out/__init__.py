"""Findings in the formats that machines read: SARIF, JUnit, GitHub, GitLab."""
