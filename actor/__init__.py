"""The control loop beside the robot, and the programs built on it: recording, online training and evaluation.

`control_loop` runs one episode: observe, choose, act, append. `chooser` asks the policy (`policy_runner`) and the
person, and `arbiter` decides between them; `episode` turns each step into a record. `record`, `training` and `evaluate`
run many episodes; `console` shows their progress.
"""
