import pytest
import torch
from torch._dynamo.backends.debugging import aot_eager

from steadyhand.learner.compiled_update import CompilationError, CompiledUpdate
from steadyhand.policies import Policy
from steadyhand.training_settings import compose_training_settings

BATCH = 8
pytestmark = pytest.mark.usefixtures("forget_compiled_code")


@pytest.fixture
def make_algo(make_spec):
    def make(name, *overrides):
        small = () if name == "bc" else ("algo.critic_hidden=[16,16]",)
        words = [f"algo={name}", f"algo.batch_size={BATCH}", *small, *overrides]
        component = compose_training_settings(words).algo
        spec = make_spec(gripper_entries=(1,)) if name == "hybrid" else make_spec()
        return component.make(Policy(component.settings.adapt(spec), 0), 0)

    return make


def compiled(algo, block, backend="aot_eager"):
    """Return the compiled update of an algorithm that has made one update on this block."""
    with algo.noise.noted() as draws:
        algo.update(block)
    return CompiledUpdate(algo, draws, backend)


@pytest.mark.parametrize(
    "words",
    [
        ("residual",),
        ("residual", "algo.num_critics=4", "algo.policy_delay=3", "algo.critic_head=hl_gauss"),
        ("hybrid", "algo.gripper_entries=[1]"),
        ("rlpd", "algo.actor_bc_weight=1", "algo.actor_bc_q_filter=true", "algo.policy_ema=0.1"),
        ("cal_ql",),
        ("iql",),
        ("bc",),
    ],
    ids=lambda words: words[0],
)
def test_a_compiled_update_is_the_algorithms_own_and_is_compiled_once(make_algo, make_block, words):
    compilations = []

    def backend(graph, inputs):
        compilations.append(graph)
        return aot_eager(graph, inputs)

    eager, algo = make_algo(*words), make_algo(*words)
    rows = BATCH * algo.sampling.slices
    blocks = [make_block(algo.policy.spec, rows, seed) for seed in range(6)]
    eager.update(blocks[0])
    update = compiled(algo, blocks[0], backend)
    for block in blocks[1:]:
        expected, found = eager.update(block), update(block)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=f"metric {name}")
    expected, found = eager.state_tensors(), algo.state_tensors()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=1e-4, atol=1e-5, msg=f"state {name}")
    assert len(compilations) == 1


def test_what_is_compiled_on_one_algorithm_is_not_compiled_again_for_its_copy(make_algo, make_block):
    compilations = []

    def backend(graph, inputs):
        compilations.append(graph)
        return aot_eager(graph, inputs)

    algos = [make_algo("residual") for _ in range(2)]
    for algo in algos:
        compiled(algo, make_block(algo.policy.spec), backend)(make_block(algo.policy.spec))
    assert len(compilations) == 1


def test_a_loss_that_is_not_finite_changes_nothing(make_algo, make_block):
    algo = make_algo("residual")
    block = make_block(algo.policy.spec)
    update = compiled(algo, block)
    update(block)
    before = {name: value.clone() for name, value in algo.state_tensors().items() if name.startswith("critic/")}
    block["reward"][:] = float("nan")
    update(block)
    assert algo.optimizers["critic"].skipped == 2  # of two slices
    assert all(torch.equal(algo.state_tensors()[name], value) for name, value in before.items())


def broken(graph, inputs):
    raise OSError("no compiler\nand a long trace")


def test_without_a_compiler_nothing_changes_and_one_line_says_so(make_algo, make_block):
    algo = make_algo("residual")
    block = make_block(algo.policy.spec)
    update = compiled(algo, block, broken)
    before = {name: value.clone() for name, value in algo.state_tensors().items()}
    with pytest.raises(CompilationError, match=r"a C\+\+ compiler|without blanks") as caught:
        update(block)
    assert "\n" not in str(caught.value)
    assert all(torch.equal(algo.state_tensors()[name], value) for name, value in before.items())


def test_a_block_of_another_shape_changes_nothing_and_is_refused(make_algo, make_block):
    algo = make_algo("residual")
    block = make_block(algo.policy.spec)
    update = compiled(algo, block)
    update(block)
    before = {name: value.clone() for name, value in algo.state_tensors().items()}
    with pytest.raises(CompilationError, match="differs in shape"):
        update(make_block(algo.policy.spec, rows=2 * len(block["reward"])))
    assert all(torch.equal(algo.state_tensors()[name], value) for name, value in before.items())
    update(block)
