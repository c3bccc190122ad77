import json
from dataclasses import replace

from steadyhand.actor.evaluate import judge
from steadyhand.earlier.note import write_earlier
from steadyhand.report.evaluations import keep_evaluation
from steadyhand.report.page import render_page
from steadyhand.report.records import loop_path, read_run
from steadyhand.report.summary import summarise
from steadyhand.report.write import write_report
from steadyhand.runtime.run_folder import RunFolder
from tests.unit.steadyhand.report.page_kit import Page
from tests.unit.steadyhand.synthetic_run import add_pictures, make_run


def page_of(run: RunFolder, no_film: str = "") -> Page:
    records = read_run(run)
    return Page(render_page(records, summarise(records), no_film))


def test_the_headline_is_what_was_measured(tmp_path):
    text = page_of(make_run(tmp_path)).text
    assert "97.5 %" in text
    assert "195 of 200 fresh episodes" in text
    assert "from 94.3 to 98.9 %" in text
    assert "Meets the required 95 %" in text
    assert "Its lower end is below 95 %" in text
    assert "best clone of the demonstrations: 82.0 %" in text


def test_a_miss_is_called_a_miss(tmp_path):
    text = page_of(make_run(tmp_path, successes=180)).text
    assert "Misses the required 95 %" in text
    assert "90.0 %" in text


def test_the_page_is_one_file_and_asks_no_network(tmp_path):
    run = make_run(tmp_path)
    add_pictures(run)
    write_report(run)
    html = (run.path / "report.html").read_text(encoding="utf-8")
    page = Page(html)
    assert page.tags.count("img") == 2
    assert all(address.startswith("data:image/") for address in page.addresses)
    assert not {"script", "link", "iframe", "object"} & set(page.tags)
    assert "http" not in html.replace("http-equiv", "")
    assert "url(" not in html


def test_every_figure_is_drawn(tmp_path):
    page = page_of(make_run(tmp_path))
    assert page.tags.count("svg") == 8  # headline, success, help, cycle time, four learning curves
    for title in ("Success", "Help", "Cycle time", "Stops", "Value", "Entropy", "Critic loss", "Updates per step"):
        assert title in page.text


def test_light_and_dark_and_a_phone(tmp_path):
    html = render_page(records := read_run(make_run(tmp_path)), summarise(records))
    assert "prefers-color-scheme: dark" in html
    assert "max-width: 760px" in html
    assert 'name="viewport"' in html


def test_without_a_renderer_one_line_says_so(tmp_path):
    page = page_of(make_run(tmp_path), no_film="no OpenGL on this machine")
    assert "No pictures: no OpenGL on this machine" in page.text
    assert "img" not in page.tags


def test_a_run_that_has_only_begun_claims_nothing(tmp_path):
    run = RunFolder(tmp_path, "begun")
    run.write_manifest({"task": {"entry_point": "steadyhand.robot_envs.tasks.reach:Reach"}}, {"seed": 0})
    page = page_of(run)
    assert "Not evaluated" in page.text
    assert "Meets" not in page.text
    assert page.tags.count("svg") == 0


def test_what_comes_from_outside_is_escaped(tmp_path):
    hostile = '"><script>alert(1)</script>'
    run = make_run(tmp_path)
    manifest = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"host": hostile, "command": ["steadyhand", hostile], "created": hostile}
    (run.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    row = json.loads((run.metrics / "actor.jsonl").read_text(encoding="utf-8").splitlines()[0]) | {
        "stop_reason": hostile
    }
    with (run.metrics / "actor.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    page = page_of(run, no_film=hostile)
    assert "script" not in page.tags
    assert page.text.count("alert(1)") >= 5


def test_the_command_and_the_commit_are_there(tmp_path):
    run = make_run(tmp_path)
    manifest = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    manifest |= {"git_commit": "f" * 40 + "-dirty", "command": ["/usr/bin/steadyhand", "demo", "seed=3", "a b=c"]}
    (run.path / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    text = page_of(run).text
    assert "steadyhand demo seed=3 'a b=c'" in text
    assert f"git checkout {'f' * 40} # and the changes that were not committed" in text


def test_loops_that_ran_against_the_clock_have_a_table(tmp_path):
    run = make_run(tmp_path)
    assert "Loop period" not in page_of(run).text
    times = {"p50_ms": 100.0, "p99_ms": 105.6, "max_ms": 115.3, "periods": 2001, "missed": 0}
    loop_path(run, "practise").write_text(json.dumps({**times, "bursts": 0}), encoding="utf-8")
    loop_path(run, "practise_watchdog").write_text(json.dumps(times), encoding="utf-8")
    text = page_of(run).text
    assert "practise 100.0 105.6 115.3 2,001 0 0" in text
    assert "practise, watchdog 100.0 105.6 115.3 2,001 0 -" in text


def test_an_evaluation_shows_its_starts_its_interventions_and_its_labels(tmp_path):
    run = make_run(tmp_path)
    result = replace(judge([]), episodes=3, labelled=3, agreed=2, interventions=1)
    keep_evaluation(run, result, {"who": "policy", "starts": {"file": "<left>.yaml"}})
    text = page_of(run).text
    assert "interventions labels that agree starts" in text
    assert "1 2 of 3 <left>.yaml" in text
    assert "- - drawn" in text


def test_the_run_that_it_started_from_is_named(tmp_path):
    run = make_run(tmp_path)
    assert "Started from" not in page_of(run).text
    facts = {
        "run": "old<b>",
        "folder": "/runs/old",
        "run_id": "",
        "take": ["weights", "demos"],
        "step": 40,
        "account": [],
    }
    write_earlier(run.path, facts)
    text = page_of(run).text
    assert "old<b> (/runs/old): weights, demos, weights of step 40" in text
    assert summarise(read_run(run))["earlier"]["take"] == ["weights", "demos"]
