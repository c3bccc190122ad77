"""The control loop beside the robot, and the programs built on it: recording, online training and evaluation.

`control_loop` runs one episode: observe, select, act, append. `action_selector` asks the policy (`policy_runner`) and
the operator, and `arbiter` decides between them; `episode` turns each step into a record. `demonstrations`,
`online_run` and `evaluate` run many episodes; `console` shows their progress.
"""
