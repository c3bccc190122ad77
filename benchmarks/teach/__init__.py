"""A person beside a mock cell, who teaches it through the operator's page and a SpaceMouse; `make teach-demo`."""
