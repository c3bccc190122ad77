from steadyhand.doctor.finding import broken, findings_text, note, ok


def test_one_line_each_with_what_to_do():
    text = findings_text(
        [ok("disk", "9 GB"), note("clock", "wrong", "set it"), broken("gamepad", "none", "plug it in")]
    )
    assert text.splitlines() == [
        "ok      disk     9 GB",
        "note    clock    wrong -> set it",
        "BROKEN  gamepad  none -> plug it in",
    ]
