"""The benchmark runs; how fast anything is, no test asserts."""

import json

import pytest

from habn.commands import benchmark
from habn.layers.normalization import NORM_LAYERS


def test_every_normalization_is_timed_in_turns_and_written_with_its_machine(tmp_path, capsys):
    path = tmp_path / "timings.json"
    sizes = ["--shapes", "1x4x6x8", "--picture", "1x3x16x16", "--repeats", "2", "--threads", "1"]
    benchmark.main([*sizes, "--json", str(path)])
    report = json.loads(path.read_text())
    found = {(t["what"], t["work"], t["norm"]) for t in report["timings"]}
    assert found == {(w, p, n) for w in ("layer", "spvcnn") for p in ("forward", "training step") for n in NORM_LAYERS}
    assert all(t["ratio"] == 1 for t in report["timings"] if t["norm"] == "bn")
    assert all(t["milliseconds"] > 0 for t in report["timings"])
    assert report["hardware"] and report["commit"]
    assert capsys.readouterr().out.count("\n| ") == len(found), "a line each, beneath the head"


def test_candidates_take_turns_and_the_first_turn_does_not_count():
    calls = []
    seconds = benchmark.take_turns({name: lambda name=name: calls.append(name) for name in "ab"}, 3)
    assert "".join(calls) == "ab" * 4
    assert [len(times) for times in seconds.values()] == [3, 3]


def test_a_wrong_shape_is_refused_in_one_sentence(capsys):
    with pytest.raises(SystemExit):
        benchmark.main(["--shapes", "64x180"])
    assert "'64x180' is no shape; write it as 1x64x180x240" in capsys.readouterr().err
