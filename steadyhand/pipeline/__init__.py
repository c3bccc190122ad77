"""The steps of learning a task: record, clone, learn, practise (the actor's part), evaluate, deploy.

Verbs, ROS nodes and benchmarks call them. Each works on a `Job`: the settings, and the run folder for the results.
This file imports nothing, because `deployment` must work without torch and the learner.
"""
