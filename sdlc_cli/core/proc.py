"""Child processes with limits and no shell: measured, capped, and gone when we are done."""
