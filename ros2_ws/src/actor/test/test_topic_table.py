from pathlib import Path

from actor_ros.executables import ARGUMENTS
from actor_ros.topic_table import render
from actor_ros.topics import SERVICES, TOPICS

DOCS = Path(__file__).resolve().parents[4] / "docs" / "ros.md"


def test_the_docs_have_the_table_of_the_code():
    text = DOCS.read_text(encoding="utf-8")
    shown = text.partition("<!-- contract -->\n")[2].partition("<!-- end of contract -->")[0]
    assert shown == render(), "docs/ros.md: replace the table by the output of python -m actor_ros.topic_table"


def test_every_topic_and_service_is_in_it():
    table = render()
    assert all(f"`{entry.name}`" in table for entry in (*TOPICS, *SERVICES))


def test_arguments_that_the_docs_use_exist():
    text = DOCS.read_text(encoding="utf-8")
    used = {word.partition(":=")[0].rpartition("`")[2] for word in text.split() if ":=" in word}
    assert used
    assert used <= set(ARGUMENTS)
