"""How a person, or somebody standing in for one, takes part: input devices and operators."""
