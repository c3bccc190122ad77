"""The control loop beside the robot, and what is built on it: recording, practice and evaluation.

`control_loop` runs one episode: observe, choose, act, append. `chooser` asks the policy (`policy_runner`) and the
person, and lets `arbiter` say who acts; `episode` turns each step into a record. `record`, `training` and `evaluate`
run many episodes; `console` shows how it goes.
"""
