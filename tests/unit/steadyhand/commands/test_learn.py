import argparse
import threading

from steadyhand.commands import learn
from steadyhand.job import open_job
from tests.unit.steadyhand.synthetic_run import write_demos


def test_it_waits_until_the_demonstrations_are_complete(tmp_path):
    job = open_job(["task=reach", f"run_root={tmp_path}", "run_name=taught", "demo.demos=3"])
    looks = threading.Semaphore(0)

    def stop() -> bool:
        looks.release()
        return False

    found = []
    waiting = threading.Thread(target=lambda: found.append(learn._await_demos(job, stop)))
    waiting.start()
    for _ in range(2):
        assert looks.acquire(timeout=10.0)
    assert waiting.is_alive()
    write_demos(job.run.demos, [4, 5, 6])
    waiting.join(10.0)
    assert found == [True]


def test_the_wait_can_be_ended(tmp_path):
    job = open_job(["task=reach", f"run_root={tmp_path}", "run_name=taught"])
    assert not learn._await_demos(job, lambda: True)


def test_the_wait_is_an_option():
    parser = argparse.ArgumentParser()
    learn.add_options(parser)
    assert parser.parse_args(["--await-demos"]).await_demos
