"""Conformance tests of the contracts: a component of your own passes them before it meets a robot or a learner.

Each is a class for pytest. Derive from it in a test file of your own and say how your component is made::

    from steadyhand.contracts.algorithm import AlgorithmContract

    class TestMine(AlgorithmContract):
        group = "algo=mine"
"""
