"""Learning algorithms; each is one class that reads like its paper."""
