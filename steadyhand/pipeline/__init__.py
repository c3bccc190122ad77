"""The steps of learning a task: record, clone, learn, practise, evaluate, deploy.

Verbs, ROS nodes and benchmarks call them. Each works on a `Job`: settings, and the run folder that keeps the results.
`deployment` needs neither torch nor the learner, so nothing is imported here.
"""
