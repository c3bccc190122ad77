"""Learning algorithms; each is one class in the order and terms of its paper."""
