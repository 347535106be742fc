"""Lines that fit a sidebar."""

import pytest
from reel2rig.addon.text_lines import WIDTH, wrapped


@pytest.mark.parametrize(("word", "units"), [("foot", 4), ("모션", 4), ("리그a", 5)])
def test_wide_letters_count_twice(word: str, units: int) -> None:
    lines = wrapped(" ".join([word] * 30))
    assert " ".join(lines) == " ".join([word] * 30)
    assert len(lines[0].split()) == (WIDTH + 1) // (units + 1)


def test_a_word_longer_than_a_line_is_broken() -> None:
    lines = wrapped("캡" * WIDTH)
    assert [len(line) for line in lines] == [WIDTH // 2, WIDTH // 2]
    assert "".join(lines) == "캡" * WIDTH
