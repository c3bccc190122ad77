import pytest
import torch

from benchmarks import measure
from benchmarks.measure import Plan, computing, in_turns, percentile_ms, times_ms
from steadyhand.runtime.clock import FakeClock


@pytest.fixture
def clock(monkeypatch):
    clock = FakeClock()
    monkeypatch.setattr(measure, "CLOCK", clock)
    return clock


def test_each_function_gets_the_median_of_its_rounds_and_its_turn(tmp_path, clock):
    calls = []

    def taking(name, times_s):
        left = iter(times_s)

        def function():
            calls.append(name)
            clock.advance_ns(round(1e9 * next(left)))

        return function

    # The first call of each is not counted.
    functions = {"a": taking("a", [9, 1, 1, 100]), "b": taking("b", [9, 2, 4, 3])}
    found = in_turns(Plan(False, tmp_path, tmp_path, repeats=3), functions, round_s=1.5)
    assert found == {"a": 1.0, "b": 3.0}
    assert calls[-6:] == ["a", "b"] * 3


def test_a_slow_function_is_called_once_a_round(tmp_path, clock):
    calls = []

    def slow():
        calls.append(1)
        clock.advance_ns(10_000_000_000)

    assert in_turns(Plan(False, tmp_path, tmp_path, repeats=2), {"slow": slow}, round_s=1.0) == {"slow": 10.0}
    assert len(calls) == 1 + 2


def test_percentiles_are_of_single_calls(clock):
    left = iter([0.001, 0.002, 0.003])
    times = times_ms(lambda: clock.advance_ns(round(1e9 * next(left))), 3)
    assert times == [1.0, 2.0, 3.0]
    assert percentile_ms(times, 50) == 2.0


def test_threads_and_the_precision_of_products_are_as_before_afterwards():
    before = torch.get_num_threads(), torch.get_float32_matmul_precision()
    with computing(1):
        assert torch.get_num_threads() == 1
    assert (torch.get_num_threads(), torch.get_float32_matmul_precision()) == before


def test_every_folder_is_empty_and_another(tmp_path):
    plan = Plan(True, tmp_path / "work", tmp_path)
    first, second = plan.new_folder("log"), plan.new_folder("log")
    assert first != second
    assert list(first.iterdir()) == list(second.iterdir()) == []
