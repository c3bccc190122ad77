import json
import re
from html import unescape

import numpy as np

from steadyhand.cli import main
from steadyhand.face.recorded import read_log
from tests.unit.steadyhand.data.data_kit import refused, schema, vector, view, write_set


def test_one_file_with_frames_curves_and_a_slider(tmp_path):
    demos = write_set(tmp_path / "demos", schema(vector("pose", 4), view()), lengths=(5, 200))
    assert main(["data", "view", str(demos), "1", "--html", str(tmp_path / "page.html")]) == 0
    page = (tmp_path / "page.html").read_text()
    assert page.count("data:image/jpeg;base64,") == 150 + 1  # thinned, and the large one
    assert 'max="199"' in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert len(re.findall("<svg", page)) == 4  # action, pose in two charts, reward
    values = [json.loads(unescape(text)) for text in re.findall(r'data-values="([^"]*)"', page)]
    recorded = read_log(demos).episode(1)
    np.testing.assert_allclose(values[0], recorded.actions, atol=1e-5)
    np.testing.assert_allclose(np.hstack(values[1:3]), recorded.observations["pose"], atol=1e-5)


def test_an_unknown_episode_is_refused(tmp_path, capsys):
    demos = write_set(tmp_path / "demos")
    assert "expected episodes of 0, 1, 2" in refused(capsys, "data", "view", demos, "7", "--html", tmp_path / "a.html")
    assert not (tmp_path / "a.html").exists()
