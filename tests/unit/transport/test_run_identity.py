import msgspec
import pytest

from steadyhand.transport import wire
from steadyhand.transport.run_identity import UNKNOWN, Identity, IdentityError, read_identity, write_identity
from steadyhand.transport.wire import WireError
from tests.transport_kit import hello

FR3 = Identity("pegs", "ab" * 16, "tasks:Peg", "fr3", 7, "fr3_hand_tcp", "fr3_finger_joint1")
UR = msgspec.structs.replace(FR3, robot="ur", joints=6, tool="tool0", gripper="none")


def test_another_robot_is_named_in_everything_that_differs():
    line = FR3.robot_difference(UR)
    assert line.startswith("robot: expected fr3, found ur; joints: expected 7, found 6; tool: ")
    assert line.endswith("gripper: expected fr3_finger_joint1, found none")
    assert FR3.robot_difference(FR3) == ""


@pytest.mark.parametrize("one", [UNKNOWN, FR3])
def test_what_is_not_known_fits_everything(one):
    assert not one.robot_difference(UNKNOWN)
    assert not UNKNOWN.robot_difference(one)
    assert not one.task_difference(UNKNOWN)
    assert not one.run_difference(UNKNOWN)


@pytest.mark.parametrize(
    ("own", "other", "differs"),
    [
        (("pegs", "ab" * 16), ("pegs", "cd" * 16), True),  # of equal names, on two machines
        (("pegs", "ab" * 16), ("copy", "ab" * 16), False),  # a folder that was renamed
        (("pegs", "ab" * 16), ("pegs", ""), False),  # an actor that has met no learner yet
        (("pegs", "ab" * 16), ("reach", ""), True),
        (("pegs", "ab" * 16), ("", ""), False),  # an actor whose run was given no name
    ],
)
def test_a_run_is_its_id_and_before_it_has_one_its_name(own, other, differs):
    line = Identity(*own).run_difference(Identity(*other))
    assert bool(line) == differs
    if differs:
        assert line.startswith("run: expected pegs (abababab), found ")


def test_the_first_that_is_known_stays():
    assert Identity(run_name="own", robot="fr3").filled(UR) == msgspec.structs.replace(
        UR, run_name="own", run_id="", robot="fr3"
    )


def test_it_is_kept_beside_a_log_and_never_rewritten(tmp_path):
    assert read_identity(tmp_path) == UNKNOWN
    write_identity(tmp_path, FR3)
    write_identity(tmp_path, UR)
    assert read_identity(tmp_path) == FR3
    (tmp_path / "identity.json").write_text('{"robot": "fr3", "legs": 2}')
    with pytest.raises(IdentityError, match="remove the file"):
        read_identity(tmp_path)


@pytest.mark.parametrize(
    "changes",
    [
        {"run_name": "../pegs"},
        {"run_name": "a" * 65},
        {"run_id": "AB" * 16},
        {"run_id": "ab" * 17},
        {"task": "t" * 257},
        {"task": "a\nb"},
        {"robot": "r" * 65},
        {"robot": "\x1b[2J"},
        {"joints": -1},
        {"joints": 257},
        {"tool": "t" * 65},
        {"gripper": "g\u202e"},
        {"legs": 2},
    ],
)
def test_a_peer_s_identity_is_bounded(changes):
    found = msgspec.to_builtins(hello()) | {"message": "Hello", "identity": msgspec.to_builtins(FR3) | changes}
    with pytest.raises(WireError):
        wire.decode([wire.MAGIC + msgspec.msgpack.encode(found)], "actor")
    with pytest.raises(IdentityError):
        Identity.from_json(msgspec.to_builtins(FR3) | changes)


def test_the_largest_identity_of_all_fits_into_a_message():
    text = "x" * 64
    largest = Identity("a" * 64, "f" * 32, "x" * 256, text, 256, text, text)
    message = msgspec.structs.replace(hello(), identity=largest)
    assert wire.decode(wire.encode(message), "actor") == (message, b"")
