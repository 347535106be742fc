"""What a person reads at the end of a command: what was written, under which licence, what to watch out for."""

from typing import Any

LICENCES = {
    "open": "open (the bundled body is CC0: the result may be used commercially)",
    "smpl-noncommercial": "smpl-noncommercial (SMPL's terms: non-commercial research only)",
}


def summary(result: dict[str, Any]) -> str:
    """Lines for people about the result of a verb.

    ``out`` and ``warnings`` are shown first and last, ``files`` {name: what it is} in between, then the other facts.
    """
    lines = [f"Wrote {result['out']}"]
    lines += [f"  {name:<14} {about}" for name, about in result.get("files", {}).items()]
    for name, fact in result.items():
        if name not in ("out", "files", "warnings", "people"):
            lines.append(f"{name.replace('_', ' ').capitalize()}: {LICENCES.get(fact, fact)}")
    lines += [f"Note: {warning}" for warning in result.get("warnings", [])]
    return "\n".join(lines)
