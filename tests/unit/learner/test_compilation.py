import shutil

import pytest
import torch

from steadyhand.learner.algos.sac import Sac
from steadyhand.learner.compilation import CompilationError, compile_layers
from steadyhand.policies import Policy

pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script_method.*:DeprecationWarning")
NEEDS_COMPILER = pytest.mark.skipif(
    shutil.which("g++") is None or " " in torch.__file__,
    reason="inductor needs a C++ compiler, and links against torch only in a folder without blanks",
)


@pytest.fixture(autouse=True)
def forget_compiled_code():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def make_sac(config, spec):
    return Sac(config, Policy(spec, 0), 0)


@pytest.mark.parametrize("backend", ["aot_eager", pytest.param("inductor", marks=[NEEDS_COMPILER, pytest.mark.slow])])
def test_compiled_layers_make_the_same_steps(make_config, make_spec, make_block, backend):
    config, spec = make_config(actor_bc_weight=1.0), make_spec(pixels=True)
    eager, compiled = make_sac(config, spec), make_sac(config, spec)
    compile_layers(compiled, backend)
    for seed, kind in enumerate(("pretrain", "update", "update")):
        block = make_block(spec, seed=seed)
        expected, found = getattr(eager, kind)(block), getattr(compiled, kind)(block)
        for name, value in expected.items():
            torch.testing.assert_close(found[name], value, rtol=1e-3, atol=1e-4, msg=f"{kind}: {name}")
    expected, found = eager.state_tensors(), compiled.state_tensors()
    assert found.keys() == expected.keys()  # names are those of checkpoints and of published weights
    for name in expected:
        if name.startswith(("critic/", "policy/", "target_critic/")):
            # Adam makes a whole step of a gradient that is nothing but rounding: no element may be off by more.
            torch.testing.assert_close(found[name], expected[name], rtol=1e-3, atol=2 * 5 * 1e-3, msg=name)
            change = (found[name] - expected[name]).norm() / (1e-9 + expected[name].norm())
            assert change < 1e-2, f"{name}: off by {change}"


def test_every_pass_through_critics_and_trunk_is_compiled(make_config, make_spec, make_block):
    ran = []

    def counting(graph, inputs):
        return lambda *args: ran.append(graph) or graph(*args)

    compiled = make_sac(make_config(policy_delay=2), make_spec())
    compile_layers(compiled, counting)
    ran.clear()
    compiled.update(make_block(make_spec()))
    # Twice the next action, its value and the critics; then the policy and its value.
    assert len(ran) == 2 * 3 + 2


def test_a_machine_that_cannot_compile_says_so_in_one_line(make_config, make_spec):
    def broken(graph, inputs):
        raise OSError("no compiler\nand a long trace")

    with pytest.raises(
        CompilationError, match=r"^learner\.compile=true: .*(a C\+\+ compiler|without blanks)"
    ) as caught:
        compile_layers(make_sac(make_config(), make_spec()), broken)
    assert "\n" not in str(caught.value)
