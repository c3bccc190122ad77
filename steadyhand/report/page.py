"""The report as one HTML file: style and pictures are inside it, and it asks no network for anything."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path

from steadyhand.report import figures
from steadyhand.report.records import Row, RunRecords
from steadyhand.report.style import STYLE
from steadyhand.terminal import duration_text

__all__ = ["render_page"]

MEDIA_TYPES = {".gif": "image/gif", ".png": "image/png"}
# Even a run folder from somebody else can show nothing but text, drawings and the pictures inside the file.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
VIEW = "view_"


def render_page(run: RunRecords, summary: Row, no_film: str = "") -> str:
    """Return the page.

    Args:
        run: What the run has left.
        summary: `summarise(run)`.
        no_film: Why there are no pictures; shown instead of them.
    """
    title = f"Steadyhand: {summary['task'] or run.name}, seed {summary['seed']}"
    sections = [
        _top(summary),
        _hero(summary),
        _tiles(summary),
        _film(run, summary, no_film),
        _practice(run),
        _actors(summary),
        _speed(run, summary),
        _evaluations(summary),
        _loops(summary),
        _learning(run),
        _provenance(summary),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(sections)}</main></body></html>\n"
    )


def _top(summary: Row) -> str:
    facts = [summary["run_name"], f"seed {summary['seed']}", summary["provenance"]["created"]]
    shown = " · ".join(escape(str(fact)) for fact in facts if fact is not None)
    return (
        f'<header class="top"><b>Steadyhand / {escape(str(summary["task"] or "run"))}</b><span>{shown}</span></header>'
    )


def _hero(summary: Row) -> str:
    rate = summary["success_rate"]
    if rate is None:
        return (
            '<section class="hero"><div><p class="verdict">Not evaluated</p><p class="lead">This run has no evaluation '
            "of its policy yet, so nothing is claimed about how good it is.</p></div></section>"
        )
    episodes, required = summary["episodes"], summary["required_success"]
    low, high = 100 * summary["wilson_low"], 100 * summary["wilson_high"]
    lead = (
        f"{round(rate * episodes)} of {episodes} fresh episodes succeeded with nobody helping. "
        f"The 95 % interval of the rate goes from {low:.1f} to {high:.1f} %."
    )
    verdict, tone = "", ""
    if required is not None:
        tone = "good" if summary["passed"] else "bad"
        verdict = f"{'Meets' if summary['passed'] else 'Misses'} the required {100 * required:g} %"
        if summary["passed"] and summary["wilson_low"] < required:
            lead += f" Its lower end is below {100 * required:g} %: more episodes would tell more."
    return (
        f'<section class="hero"><div><p class="verdict {tone}">{verdict}</p>'
        f'<h1>{100 * rate:.1f}<small>%</small></h1><p class="lead">{lead}</p></div>'
        f"<figure>{figures.headline(summary)}</figure></section>"
    )


def _tiles(summary: Row) -> str:
    demo, bc = summary["demo_median_cycle_time_s"], summary["bc_success_rate"]
    share = summary["intervention_share"]
    tiles = [
        ("Median cycle time", _seconds(summary["median_cycle_time_s"]), f"{_seconds(demo)} in the demonstrations"),
        ("Throughput", _round(summary["throughput_per_hour"]), "successes in an hour of control time"),
        ("Help in the last 50 episodes", _percent(summary["intervention_share_last50"]), f"{_percent(share)} over all"),
        ("Behaviour cloning alone", _percent(bc), f"on the same {summary['demos']} demonstrations"),
        ("Robot time", f"{summary['control_minutes']:.1f} min", "of practice, resets not counted"),
        ("Control steps", _round(summary["env_steps"]), f"in {summary['practice_episodes']} episodes"),
        ("Gradient updates", _round(summary["gradient_updates"]), f"{_ratio(summary['true_utd'])} per control step"),
        ("Wall time", duration_text(summary["wall_time_s"]), _stages(summary["stages"])),
    ]
    rows = "".join(f"<div><dt>{name}</dt><dd>{value}</dd><dd>{note}</dd></div>" for name, value, note in tiles)
    return f'<dl class="tiles">{rows}</dl>'


def _film(run: RunRecords, summary: Row, no_film: str) -> str:
    film = run.pictures.get("film")
    views = {name.removeprefix(VIEW): path for name, path in run.pictures.items() if name.startswith(VIEW)}
    if film is None and not views:
        return f'<h2>Before and after</h2><p class="note">No pictures: {escape(no_film)}</p>' if no_film else ""
    parts = ["<h2>Before and after</h2>"]
    if film is not None:
        parts.append(
            '<p class="note">The same first episodes of the evaluation, side by side; none was picked out.</p>'
            '<figure class="card film"><div class="pair"><span>Behaviour cloning alone</span>'
            f"<span>After {summary['control_minutes']:.0f} min of practice</span></div>"
            f"{_image(film, 'The policy before practice on the left, after it on the right')}</figure>"
        )
    shown = "".join(
        f"<figure>{_image(path, f'Camera {name}')}"
        f"<figcaption>Camera {escape(name)}, at the start of an episode</figcaption></figure>"
        for name, path in views.items()
    )
    return "".join(parts) + (f'<div class="views">{shown}</div>' if shown else "")


def _practice(run: RunRecords) -> str:
    success = figures.success(run)
    if not success:
        return ""
    key = _key(("policy", "without help"), ("person", "with or without help"))
    return (
        '<h2>Practice</h2><p class="note">Over the newest 20 episodes, against the time that the robot was under '
        "control. Practice varies its actions and is corrected; the figure at the top comes from neither.</p>"
        f'<div class="pair">{_card("Success", key, success)}'
        f"{_card('Help', _key(('person', 'share of steps by the person')), figures.intervention(run))}</div>"
    )


def _actors(summary: Row) -> str:
    """Return the table of the actors, where there is more than one."""
    if len(summary["actors"]) < 2:
        return ""
    names = ("episodes", "control steps", "robot minutes", "alone, last 50", "help")
    head = "".join(f'<th class="n">{name}</th>' for name in names)
    rows = "".join(
        f'<tr><td>{escape(one["actor"])}</td><td class="n">{one["episodes"]}</td><td class="n">{one["env_steps"]}</td>'
        f'<td class="n">{one["control_minutes"]:.1f}</td><td class="n">{_percent(one["success_alone_last50"])}</td>'
        f'<td class="n">{_percent(one["intervention_share"])}</td></tr>'
        for one in summary["actors"]
    )
    return (
        '<h2>Actors</h2><figure class="card"><div class="scroll"><table><thead><tr><th>actor</th>'
        f"{head}</tr></thead><tbody>{rows}</tbody></table></div></figure>"
    )


def _speed(run: RunRecords, summary: Row) -> str:
    key = _key(
        ("policy", f"policy, median {_seconds(summary['median_cycle_time_s'])}"),
        ("person", f"demonstrations, median {_seconds(summary['demo_median_cycle_time_s'])}"),
    )
    chart = figures.cycle_times(run)
    cards = (_card("Cycle time", key, chart) if chart else "") + _stops(summary)
    return f'<h2>Speed and stops</h2><div class="pair">{cards}</div>'


def _stops(summary: Row) -> str:
    practice, evaluation = summary["stops"]["practice"], summary["stops"]["evaluation"]
    reasons = list(dict.fromkeys([*practice, *evaluation]))
    head = '<figure class="card"><h3>Stops</h3>'
    played = f"{summary['practice_episodes']} episodes of practice and {summary['episodes'] or 0} of evaluation"
    if not reasons:
        return f"{head}<figcaption>The safety gate stopped nothing in {played}.</figcaption></figure>"
    rows = "".join(
        f'<tr><td>{escape(reason)}</td><td class="n">{practice.get(reason, 0)}</td>'
        f'<td class="n">{evaluation.get(reason, 0)}</td></tr>'
        for reason in reasons
    )
    return (
        f'{head}<div class="scroll"><table><thead><tr><th>reason</th><th class="n">practice</th>'
        f'<th class="n">evaluation</th></tr></thead><tbody>{rows}</tbody></table></div>'
        f"<figcaption>Episodes that the safety gate ended, of {played}.</figcaption></figure>"
    )


def _evaluations(summary: Row) -> str:
    """Return the table of every evaluation, where there is more than the one that the headline shows."""
    if len(summary["evaluations"]) < 2:
        return ""
    names = ("date", "who", "policy version", "seed", "successes", "rate", "95 % interval", "overrides")
    head = "".join(f"<th>{name}</th>" for name in names)
    rows = "".join(
        f"<tr><td>{escape(one['date'] or '-')}</td><td>{escape(one['who'])}</td>"
        f'<td class="n">{_figure(one["policy_version"])}</td><td class="n">{_figure(one["seed"])}</td>'
        f'<td class="n">{one["successes"]} of {one["episodes"]}</td><td class="n">{_percent(one["success_rate"])}</td>'
        f'<td class="n">{100 * one["wilson_low"]:.1f} to {100 * one["wilson_high"]:.1f} %</td>'
        f"<td>{escape(' '.join(one['overrides']) or '-')}</td></tr>"
        for one in summary["evaluations"]
    )
    return (
        '<h2>Evaluations</h2><p class="note">Each with nobody helping, the oldest first. The figure at the top is the '
        "newest one of the run's own policy.</p>"
        f'<figure class="card"><div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></figure>"
    )


def _loops(summary: Row) -> str:
    """How regular the loops were that ran against the clock; a lockstep run has none."""
    if not summary["loops"]:
        return ""
    names = ("p50_ms", "p99_ms", "max_ms", "periods", "missed", "bursts")
    rows = "".join(
        f"<tr><td>{escape(name.replace('_', ', '))}</td>"
        + "".join(f'<td class="n">{_figure(loop.get(column))}</td>' for column in names)
        + "</tr>"
        for name, loop in summary["loops"].items()
    )
    head = "".join(
        f'<th class="n">{title}</th>' for title in ("p50, ms", "p99, ms", "max, ms", "periods", "missed", "bursts")
    )
    return (
        '<h2>Loop period</h2><p class="note">Measured against the monotonic clock by the process that keeps it. After '
        "a missed period the schedule starts anew; a burst would be two periods at once.</p>"
        f'<figure class="card"><div class="scroll"><table><thead><tr><th>while it should</th>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></figure>"
    )


def _learning(run: RunRecords) -> str:
    cards = []
    for name, title, caption in figures.LEARNING_CURVES:
        chart = figures.learning_curve(run.learning, name, title)
        cards += [_card(title, f"<figcaption>{caption}</figcaption>", chart)] if chart else []
    if not cards:
        return ""
    note = "By gradient update, those on the demonstrations before practice included."
    return f'<h2>Learning</h2><p class="note">{note}</p><div class="pair">{"".join(cards)}</div>'


def _provenance(summary: Row) -> str:
    facts = summary["provenance"]
    packages = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    rows = [
        ("Source", facts["git_commit"] or "not known: no git checkout"),
        ("Started", facts["created"]),
        ("Machine", f"{facts['host']}, {facts['platform']}"),
        ("Compute device", facts["device"]),
        ("Python", facts["python"]),
        ("Packages", packages),
        ("Stages", "; ".join(f"{stage['name']} {duration_text(stage['wall_time_s'])}" for stage in summary["stages"])),
    ]
    table = "".join(f"<tr><th>{name}</th><td>{escape(str(value))}</td></tr>" for name, value in rows if value)
    config = escape(json.dumps(facts["config"], indent=2, ensure_ascii=False))
    return (
        f'<h2>Where this comes from</h2><div class="scroll"><table>{table}</table></div>'
        f"<h2>Do it again</h2><pre>{escape(_command(facts))}</pre>"
        f"<details><summary>The whole configuration</summary><pre>{config}</pre></details>"
    )


def _command(facts: Row) -> str:
    """Return what to type to get this run again."""
    arguments = [str(argument) for argument in facts["command"] or ()][1:]
    commit = facts["git_commit"]
    checkout = "" if not commit else f"git checkout {commit.removesuffix('-dirty')}"
    if commit and commit.endswith("-dirty"):
        checkout += "   # and the changes that were not committed"
    return "\n".join(line for line in (checkout, shlex.join(["steadyhand", *arguments])) if line)


def _card(title: str, key: str, chart: str) -> str:
    return f'<figure class="card"><h3>{title}</h3>{key}{chart}</figure>'


def _key(*entries: tuple[str, str]) -> str:
    return f'<ul class="key">{"".join(f"""<li class="{tone}">{text}</li>""" for tone, text in entries)}</ul>'


def _image(path: Path, text: str) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<img alt="{escape(text)}" src="data:{MEDIA_TYPES[path.suffix]};base64,{data}">'


def _stages(stages: Sequence[Row]) -> str:
    longest = max(stages, key=lambda stage: float(stage["wall_time_s"]), default=None)
    return f"{duration_text(longest['wall_time_s'])} of it: {escape(longest['name'])}" if longest else ""


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.1f} %"


def _seconds(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f} s"


def _round(value: float | None) -> str:
    return "not known" if value is None else f"{value:,.0f}"


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.1f}" if isinstance(value, float) else f"{value:,}"


def _ratio(value: float | None) -> str:
    return "not known" if value is None else f"{value:.2f}"
