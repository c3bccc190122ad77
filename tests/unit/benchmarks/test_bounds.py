import numpy as np
import torch

from benchmarks.bounds import Products, RowCopies, disk_bytes_per_s, loopback_bytes_per_s
from benchmarks.learners import make_block, make_sac
from benchmarks.recording import make_schema


def multiplications(run) -> int:
    """Return the multiplications of every matrix product that `run` makes."""
    counted = 0

    class Counter(torch.utils._python_dispatch.TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            nonlocal counted
            out = func(*args, **(kwargs or {}))
            name = func.overloadpacket.__name__
            if name in ("mm", "bmm", "addmm", "baddbmm"):
                left = args[1] if name in ("addmm", "baddbmm") else args[0]
                counted += out.numel() * left.shape[-1]
            return out

    with Counter():
        run()
    return counted


def test_the_products_are_those_of_an_update():
    overrides = ("policy.obs_horizon=1", "algo.batch_size=8", "algo.num_critics=3", "algo.num_min=2")
    sac = make_sac(make_schema(), overrides)
    block = make_block(sac.policy.spec, sac.settings.policy_delay * 8)
    products = Products(sac.settings, sac.policy.spec, sac.policy.feature_size)
    assert multiplications(products) == multiplications(lambda: sac.update(block))


def test_whole_rows_are_copied(tmp_path):
    table = np.arange(40, dtype=np.uint8).reshape(8, 5)
    (tmp_path / "rows").write_bytes(table.tobytes() + b"rest")
    copies = RowCopies(tmp_path / "rows", 5, np.array([3, 0, 9]))
    copies()
    np.testing.assert_array_equal(copies._out, table[[3, 0, 1]])


def test_bytes_cross_the_loopback_and_reach_the_disk(tmp_path):
    assert loopback_bytes_per_s(1000, 50) > 0.0
    assert disk_bytes_per_s(tmp_path, 1 << 21) > 0.0
    assert list(tmp_path.iterdir()) == []
