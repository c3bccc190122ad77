import json

from benchmarks.fleet import RESULTS
from benchmarks.fleet_table import ceiling_text, write_table


def test_the_ceiling_is_the_largest_fleet_of_which_no_robot_is_behind():
    rows = [{"robots": 8, "behind": []}, {"robots": 16, "behind": []}, {"robots": 32, "behind": ["arm3", "arm4"]}]
    assert ceiling_text(rows) == "Ceiling: no robot falls behind up to 16 robots; of 32 robots 2 do."
    assert "largest fleet that was tried" in ceiling_text(rows[:2])
    assert ceiling_text(rows[2:]) == "Ceiling: below 32 robots, of which 2 fall behind."
    assert ceiling_text([]) == "Ceiling: not looked for."


def test_the_published_results_give_the_published_table(tmp_path):
    published = json.loads((RESULTS / "fleet.json").read_text())
    rows = published.pop("rows")
    write_table(tmp_path, published, rows)
    for name in ("fleet.json", "fleet.md"):
        assert (tmp_path / name).read_text() == (RESULTS / name).read_text()
    assert rows[0]["sent"] == sum(actor["sent"] for actor in rows[0]["actors"])
