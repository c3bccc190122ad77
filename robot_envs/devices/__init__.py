"""Input devices and operators; an operator is a person with a device, or a scripted expert."""
