import argparse
import threading

from steadyhand.cli import main
from steadyhand.commands import learn
from steadyhand.job import open_job
from steadyhand.pipeline.learning import await_demos
from tests.unit.robot_envs import odd_envs
from tests.unit.steadyhand.synthetic_run import write_demos


def test_it_waits_until_the_demonstrations_are_complete(tmp_path):
    job = open_job(["task=reach", f"run_root={tmp_path}", "run_name=taught", "demo.demos=3"])
    looks = threading.Semaphore(0)

    def stop() -> bool:
        looks.release()
        return False

    found = []
    waiting = threading.Thread(target=lambda: found.append(await_demos(job, stop)))
    waiting.start()
    for _ in range(2):
        assert looks.acquire(timeout=10.0)
    assert waiting.is_alive()
    write_demos(job.run.demos, [4, 5, 6])
    waiting.join(10.0)
    assert found == [True]


def test_the_wait_can_be_ended(tmp_path):
    job = open_job(["task=reach", f"run_root={tmp_path}", "run_name=taught"])
    assert not await_demos(job, lambda: True)


def test_the_wait_is_an_option():
    parser = argparse.ArgumentParser()
    learn.add_options(parser)
    assert parser.parse_args(["--await-demos"]).await_demos


ODD = ["task=gym", f"task.entry_point={odd_envs.HERE}:make", f"task.expert={odd_envs.HERE}:Expert", "demo.demos=1"]


def refused(capsys, *words):
    assert main(["learn", *words]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("steadyhand learn: ")
    return line


def test_another_packages_demonstrations_are_named_before_anything_is_trained(tmp_path, capsys):
    words = [*ODD, f"run_root={tmp_path}", "run_name=one"]
    file = tmp_path / "peg.hdf5"
    file.write_bytes(b"\x89HDF\r\n\x1a\n demo_0 env_args")
    line = refused(capsys, *words, "--demos", str(file))
    assert "found a robomimic HDF5 file; import it: `steadyhand data import" in line
    demos = open_job(words).run.demos
    (demos / "file.parquet").write_bytes(b"PAR1 episode_index frame_index PAR1")
    assert "found a LeRobot data set's Parquet file (file.parquet)" in refused(capsys, *words)
    assert not list((tmp_path / "one" / "checkpoints").iterdir())


def test_rewards_that_the_clip_flattens_end_the_learner_in_one_line(tmp_path, capsys):
    words = [*ODD, f"run_root={tmp_path}", "run_name=one", "task.arguments={kind:fetch}"]
    assert main(["record", *words]) == 0
    assert "algo.target_clip=[0,1]: expected the range of returns" in refused(capsys, *words)
    other = [word for word in words if "kind" not in word]
    line = refused(capsys, *other, "run_name=two", "--demos", str(tmp_path / "one" / "demos"))
    assert "task.arguments.kind=null, found task.arguments.kind=fetch" in line
