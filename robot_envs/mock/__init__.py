"""A robot of primitive geometry in MuJoCo, behind the same contracts as a real one."""
