"""Print a shell script that completes verbs, options, `group=option` and configuration keys.

The words are written into the script, so that a TAB starts no Python. Print the script again after an update, or
after adding files to your own configuration folder.
"""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any

from steadyhand import configs
from steadyhand.cli import VERBS, verb_parser
from steadyhand.runtime.config import CONFIG_VARIABLE, compose
from steadyhand.settings import check_overrides
from steadyhand.terminal import say

__all__ = ["option_words", "override_words", "script"]

EPILOG = (
    "bash: steadyhand completion bash > ~/.local/share/bash-completion/completions/steadyhand\n"
    "zsh:  steadyhand completion zsh > ~/.zfunc/_steadyhand, with `fpath+=~/.zfunc` before compinit in ~/.zshrc\n"
    "A new shell has it then."
)

# Readline breaks words at `=`: a reply begins after the last one.
BASH = Template("""\
# Completion of steadyhand for bash; made by `steadyhand completion bash`.
_steadyhand() {
    local line="$${COMP_LINE:0:$$COMP_POINT}" words options
    local current="$${line##*[[:space:]]}"
    local -a typed
    read -ra typed <<<"$$line"
    local place=$${#typed[@]}
    [[ -n $$current ]] && place=$$((place - 1))
    if ((place == 1)); then
        words="$verbs --help --version"
    else
        case "$${typed[1]}" in
$cases
        *) options="" ;;
        esac
        words="$$options $overrides"
    fi
    COMPREPLY=($$(compgen -W "$$words" -- "$$current"))
    [[ $${#COMPREPLY[@]} == 1 && $${COMPREPLY[0]} == *= ]] && compopt -o nospace
    local before="$${current%"$${current##*=}"}"
    [[ $$COMP_WORDBREAKS == *=* ]] && COMPREPLY=("$${COMPREPLY[@]#"$$before"}")
    [[ $${#COMPREPLY[@]} -gt 0 ]]
}
complete -o default -F _steadyhand steadyhand
""")
ZSH = Template("""\
#compdef steadyhand
# Completion of steadyhand for zsh; made by `steadyhand completion zsh`.
local -a options
if ((CURRENT == 2)); then
    compadd -- $verbs --help --version
    return
fi
case "$$words[2]" in
$cases
*) options=() ;;
esac
compadd -- $$options
compadd -S '' -- $overrides
_files
""")
SHELLS = ("bash", "zsh")
ROOT = ("seed=", "run_root=", "run_name=")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the argument for the shell."""
    parser.add_argument("shell", choices=SHELLS, metavar="|".join(SHELLS))


def run(options: argparse.Namespace, overrides: Sequence[str]) -> int:
    """Print the script."""
    check_overrides(overrides, "completion", ())
    say(script(options.shell).rstrip("\n"))
    return 0


def script(shell: str) -> str:
    """Return the completion script of one shell."""
    options = {verb: option_words(verb) for verb in VERBS}
    if shell == "zsh":
        cases = [f"{verb}) options=({' '.join(words)}) ;;" for verb, words in options.items()]
        template = ZSH
    else:
        cases = [f'        {verb}) options="{" ".join(words)}" ;;' for verb, words in options.items()]
        template = BASH
    words = " ".join(override_words())
    return template.substitute(verbs=" ".join(VERBS), cases="\n".join(cases), overrides=words)


def option_words(verb: str) -> list[str]:
    """Return the steps or options of a verb; only the common ones if a package that the verb needs is missing."""
    try:
        command = importlib.import_module(f"steadyhand.commands.{verb}")
        if hasattr(command, "STEPS"):
            return [*command.STEPS, "--help"]
        parser = verb_parser(verb, command)
    except ImportError:
        return ["--config-dir", "--help"]
    return sorted(word for action in parser._actions for word in action.option_strings if word.startswith("--"))


def override_words() -> list[str]:
    """Return `group=option` for every option, and `key=` for every key of the default configuration."""
    folders = [Path(place) for place in (*configs.__path__, os.environ.get(CONFIG_VARIABLE)) if place]
    options = {f"{file.parent.name}={file.stem}" for folder in folders for file in folder.glob("*/*.yaml")}
    keys = {f"{key}=" for key in _keys(compose([]), "")} - set(ROOT)
    return [*sorted(options), *ROOT, *sorted(keys)]


def _keys(values: Mapping[str, Any], path: str) -> Iterator[str]:
    for key, value in values.items():
        name = f"{path}.{key}" if path else key
        if isinstance(value, Mapping) and value:
            yield from _keys(value, name)
        else:
            yield name
