"""Conformance tests of the contracts, to be passed by your own component before it is used.

Each is a class for pytest. Derive from it in your own test file and define how your component is made::

    from steadyhand.contracts.algorithm import AlgorithmContract

    class TestMine(AlgorithmContract):
        group = "algo=mine"
"""
