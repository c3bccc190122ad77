import pytest

from steadyhand.data.foreign import ForeignDataError, ForeignField, ForeignSet
from steadyhand.data.mapping import Choices, Source, plan_import, read_choices
from tests.unit.steadyhand.data.data_kit import schema, vector, view


class Columns(ForeignSet):
    format, default_action = "columns", "action"

    def __init__(self, observations=None, action=(2,), period_s=0.1):
        self.observations = observations or {
            "observation.state": ForeignField((5,), "float32", ("pose.0", "pose.1", "pose.2", "width.0", "x")),
            "observation.images.wrist": ForeignField((32, 48, 3), "uint8"),
        }
        self.actions = {"action": ForeignField(action, "float32")}
        self.period_s = period_s

    def __len__(self):
        return 1

    def episodes(self, wanted, chosen):
        raise NotImplementedError


def test_columns_are_found_by_name_and_by_the_names_of_elements():
    plan = plan_import(Columns(), schema(vector("pose"), vector("width", 1), view()), Choices())
    assert plan.observations == {
        "pose": Source("observation.state", 0, 3),
        "width": Source("observation.state", 3, 4),
        "wrist": Source("observation.images.wrist"),
    }
    assert plan.wanted == ["observation.state", "observation.images.wrist"]


def test_a_slash_of_a_name_is_a_point_elsewhere():
    columns = Columns({"observation.arm.pose": ForeignField((3,), "float64")})
    assert (
        plan_import(columns, schema(vector("arm/pose")), Choices()).observations["arm/pose"].key
        == "observation.arm.pose"
    )


def test_named_columns_come_first():
    choices = Choices(observations={"pose": "observation.state[1:4]"}, action="action[0:1]")
    plan = plan_import(Columns(action=(3,)), schema(vector("pose"), axes=1), choices)
    assert (str(plan.observations["pose"]), str(plan.action)) == ("observation.state[1:4]", "action[0:1]")


@pytest.mark.parametrize(
    ("fields", "choices", "columns", "told"),
    [
        ((vector("force", 6),), {}, {}, "expected a column for force (6), found none"),
        ((vector("force", 6), vector("pose2")), {}, {}, "force (6), pose2 (3)"),
        ((vector("pose"),), {"observations": {"pose": "observation.state"}}, {}, "--observation pose=COLUMN"),
        ((vector("pose"),), {"observations": {"pose": "nothing"}}, {}, "expected one of observation.state"),
        ((vector("pose"),), {"observations": {"pose": "observation.state[3:9]"}}, {}, "expected a part of"),
        ((vector("pose"),), {"observations": {"pos": "observation.state"}}, {}, "expected names of pose"),
        ((view("wrist", 64, 64),), {}, {}, "scale it: --resize"),
        ((vector("pose"),), {}, {"action": (7,)}, "--action COLUMN[FIRST:END]"),
        ((vector("pose"),), {}, {"period_s": 0.05}, "found 0.05 s (20 Hz)"),
        ((vector("pose"),), {"action_low": -1.0}, {}, "both action_low and action_high"),
        ((vector("pose"),), {"action_low": (0.0,), "action_high": (1.0,)}, {}, "expected one number, or 2"),
        ((vector("pose"),), {"action_low": 1.0, "action_high": 0.0}, {}, "action_low below action_high"),
    ],
)
def test_what_does_not_fit_is_one_line_with_its_remedy(fields, choices, columns, told):
    with pytest.raises(ForeignDataError) as refusal:
        plan_import(Columns(**columns), schema(*fields), Choices(**choices))
    assert told in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "choices", "columns"),
    [
        ((view("wrist", 64, 64),), {"resize": True}, {}),
        ((vector("pose"),), {"any_period": True}, {"period_s": 0.05}),
        ((vector("pose"),), {}, {"period_s": 0.1004}),
        ((vector("pose"),), {}, {"period_s": None}),
        ((vector("pose"),), {"action_low": (0.0, -5.0), "action_high": 10.0}, {}),
    ],
)
def test_the_remedies_are_accepted(fields, choices, columns):
    assert plan_import(Columns(**columns), schema(*fields), Choices(**choices)).wanted


def test_choices_come_from_a_file(tmp_path):
    path = tmp_path / "map.yaml"
    path.write_text(
        "observations: {pose: 'observation.state[0:3]'}\naction_low: [0, 1]\naction_high: 512\nsuccess: all\n"
    )
    choices = read_choices(path)
    assert (choices.observations, choices.action_low, choices.success) == (
        {"pose": "observation.state[0:3]"},
        (0.0, 1.0),
        "all",
    )


@pytest.mark.parametrize(
    "text", ["succes: all", "success: perhaps", "- a", "observations: [pose]", "a: !!python/object:os.x {}", "{"]
)
def test_a_wrong_file_is_one_line(tmp_path, text):
    path = tmp_path / "map.yaml"
    path.write_text(text)
    with pytest.raises(ForeignDataError, match="expected a mapping with the keys observations") as refusal:
        read_choices(path)
    assert "\n" not in str(refusal.value)
