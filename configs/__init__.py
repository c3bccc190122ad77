"""The Hydra groups as package data (`pkg://configs`): the only place with numbers."""
