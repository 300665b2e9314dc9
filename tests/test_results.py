"""Studies: read strictly, compared seed by seed, and made into the tables of README and page."""

import copy
import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest

from habn.results import ResultError, load_claims, load_results, save_study, tables_markdown
from habn.results.reading import BENCHMARK, CLAIMS, load_study
from habn.results.shipped import load_shipped_scores
from habn.results.speed import NAME, load_speed, speed_markdown
from habn.results.statistics import holm, paired_difference, standard_deviation, t_cdf, t_quantile
from habn.results.tables import fill_places
from habn.results.writing import add_rows
from habn.ui.results.charts import ticks
from habn.ui.results.findings import write_verdict
from habn.ui.results.forest import leads_of
from habn.ui.results.panels import draw_error, draw_results

ROOT = Path(__file__).parent.parent
RESULTS = sorted(path for path in ROOT.glob("results/*.json") if path.name not in (BENCHMARK, CLAIMS))

WEATHERS = ("haze", "darkness")
LAYERS = ("stem", "encoder.0", "decoder.1")


def row(norm: str, label: str, values: list[float], added: int = 0) -> dict:
    """A row with seeds 0, 1, ..."""
    seeds = list(range(len(values)))
    return {"norm": norm, "label": label, "setting": "", "seeds": seeds, "values": values} | {
        "parameters": 1000 + added,
        "added": added,
    }


CURVES = [{"seed": seed, "steps": [500, 1000], "values": [40.0 + seed, 45.0 + seed]} for seed in (0, 1)]
CHOICES = [
    {"seed": seed, "gates": [[0.1, 0.9, 0.5, 0.25 + seed / 2]] * 3, "size": [[0, 1, 2, 3]] * 3} for seed in (0, 1)
]


def under_weather(gain: float) -> dict:
    return {kind: [[50 + 2 * k, 40 + 2 * k, 30 + 2 * k + gain] for k in range(3)] for kind in WEATHERS}


STUDY = {
    "title": {"en": "Three ways", "es": "Tres maneras"},
    "question": {"en": "Does it help?", "es": "¿Ayuda?"},
    "protocol": "branched",
    "data": "camvid",
    "split": "test",
    "size": [360, 480],
    "train": "camvid",
    "steps": 2000,
    "epochs": 43.5,
    "hardware": "2 cores",
    "commit": "abc1234",
    "date": "2026-01-31",
    "command": "python -m habn.train <first>\npython -m habn.train second",
    "metric": {"name": "mean_iou", "unit": "%", "higher_is_better": True},
    "baseline": "bn",
    "rows": [
        row("bn", "BN", [50.0, 51.0, 52.0]) | {"curves": CURVES, "weather": under_weather(0)},
        row("habn", "HABN", [49.9, 51.2, 52.1], 5),
        row("habn-plus", "HABN+", [52.0, 53.1, 53.9], 8)
        | {"curves": CURVES, "weather": under_weather(5), "search": CHOICES},
    ],
    "weather": {"pictures": 10, "strengths": [0, 1, 2]},
    "layers": list(LAYERS),
}


PLAIN = {key: value for key, value in STUDY.items() if key not in ("weather", "layers")}
"""Without what belongs to rows; they are given anew."""


def figures(values: list[float]) -> dict:
    return {name: {"values": values, "deviations": [0.1, 0.1, 0.13][: len(values)]} for name in ("style", "ssim")}


STYLE_STUDY = PLAIN | {
    "data": "styles",
    "metric": {"name": "frechet", "unit": "", "higher_is_better": False},
    "sampling": {"en": "25 photographs & eight styles.", "es": "25 fotografías y ocho estilos."},
    "further": [{"name": name, "unit": "", "higher_is_better": name == "ssim"} for name in ("style", "ssim")],
    "rows": [
        own | {"figures": figures(values), "styles": {s: [0.2, 0.2, 0.23] for s in ("great_wave", "my_painting")}}
        for own, values in (
            (row("bn", "BN", [0.3, 0.31, 0.32]), [0.5, 0.51, 0.52]),
            (row("habn-plus", "HABN+", [0.25, 0.255, 0.26], 8), [0.6, 0.6, 0.63]),
        )
    ],
}


def write(folder: Path, content: object, name: str = "study") -> Path:
    path = folder / f"{name}.json"
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def changed(*keys: str | int, to: object = None, remove: bool = False) -> dict:
    """STUDY with the value at a path of keys replaced or removed."""
    content = copy.deepcopy(STUDY)
    target = content
    for key in keys[:-1]:
        target = target[key]
    if remove:
        del target[keys[-1]]
    else:
        target[keys[-1]] = to
    return content


@pytest.mark.parametrize(
    ("probability", "freedom", "expected"),
    [
        # Tables of Student's t, such as NIST/SEMATECH's handbook, 1.3.6.7.2
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 4, 2.776),
        (0.95, 9, 1.833),
        (0.999, 30, 3.385),
        (0.025, 4, -2.776),
    ],
)
def test_quantiles_of_students_t_are_those_of_the_tables(probability, freedom, expected):
    assert t_quantile(probability, freedom) == pytest.approx(expected, abs=5e-4)
    assert t_cdf(t_quantile(probability, freedom), freedom) == pytest.approx(probability, abs=1e-12)


def test_students_t_with_few_degrees_of_freedom_has_closed_forms():
    for t in (-3.0, -0.1, 0.0, 0.7, 40.0):
        assert t_cdf(t, 1) == pytest.approx(0.5 + math.atan(t) / math.pi, abs=1e-12)
        assert t_cdf(t, 2) == pytest.approx(0.5 + t / (2 * math.sqrt(2 + t * t)), abs=1e-12)


def test_values_are_compared_pair_by_pair():
    difference = paired_difference([30.02, 29.99, 30.11, 29.97], [29.89, 29.93, 29.72, 30.02])
    gaps = [0.13, 0.06, 0.39, -0.05]
    error = standard_deviation(gaps) / 2
    assert difference.mean == pytest.approx(0.1325)
    assert difference.interval == pytest.approx((0.1325 - 3.18245 * error, 0.1325 + 3.18245 * error), abs=1e-5)
    # The interval at confidence 1 - p ends at zero.
    assert t_quantile(1 - difference.p / 2, 3) * error == pytest.approx(0.1325)
    same = paired_difference([1.0, 2.0], [1.0, 2.0])
    assert same.interval == (0, 0) and same.p == 1
    rounded = paired_difference([2.0, 3.0], [1.0, 2.0])
    assert (rounded.mean, rounded.count, rounded.interval, rounded.p) == (1, 2, None, None)
    assert paired_difference([2.0], [1.0]).interval is None


def test_a_study_is_read_and_written_again_without_loss(tmp_path):
    study = load_study(write(tmp_path, STUDY))
    assert (study.size, study.epochs, study.title["es"]) == ((360, 480), 43.5, "Tres maneras")
    assert study.rows[2].search[1].gates[2] == (0.1, 0.9, 0.5, 0.75)
    save_study(study, tmp_path / "again")
    assert load_results(tmp_path / "again") == load_results(tmp_path) == (study,)


def test_the_networks_of_the_page_come_before_the_studies(tmp_path):
    write(tmp_path, STUDY, "second")
    write(tmp_path, STUDY, "first")
    write(tmp_path, changed("protocol", to="shipped"), "third")
    assert [study.name for study in load_results(tmp_path)] == ["third", "first", "second"]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "not valid JSON"),
        (b"\xff", "not valid JSON"),
        ("[]", "the file must be an object"),
        (changed("steps", remove=True), "the key 'steps' is missing"),
        (changed("name", to="x"), "the key 'name' is not known"),
        (changed("colour", to="red"), "the key 'colour' is not known"),
        (changed("rows", 1, "mood", to="good"), "the key 'rows[1].mood' is not known"),
        (changed("protocol", to="guessed"), "'protocol' must be 'branched', 'scratch' or 'shipped'"),
        (changed("steps", to="2000"), "'steps' must be a valid integer"),
        (changed("rows", 0, "label", to=" "), "'rows[0].label'"),
        (changed("rows", 0, "values", to=[1.0]), "rows[0]: 'values' must have one value for each seed"),
        (changed("rows", 0, "values", 1, to=math.nan), "'rows[0].values[1]' must be a finite number"),
        (changed("rows", 0, "seeds", to=[0, 0, 1]), "each only once"),
        (changed("rows", 0, "parameters", to=True), "'rows[0].parameters' must be a valid integer"),
        (changed("rows", 0, "parameters", to=-1), "'rows[0].parameters' must be greater than or equal to 0"),
        (changed("baseline", to="in"), "'baseline' is 'in'"),
        (changed("date", to="31 January"), "'date' must be a valid date"),
        (changed("title", to={"en": "x"}), "title: must be given in en and es"),
        (changed("weather", "strengths", to=[0, 1]), "'rows[0].weather' must have one value for each of"),
        (changed("weather", remove=True), "'rows[0].weather' must have one value for each of"),
        (changed("rows", 0, "weather", "haze", to=[[1, 2, 3]]), "'weather' must have one value for each seed"),
        (changed("rows", 0, "styles", to={"wave": [1]}), "'styles' must have one value for each seed"),
        (changed("rows", 0, "figures", to=figures([1, 2, 3])), "'rows[0].figures' has 'ssim', which 'further' lacks"),
        (changed("rows", 0, "curves", 0, "steps", to=[1]), "rows[0].curves[0]: 'values' must have one value for each"),
        (
            changed("rows", 2, "search", 0, "gates", 1, to=[1, 2, 3]),
            "the key 'rows[2].search[0].gates[1][3]' is missing",
        ),
        (changed("layers", to=["stem"]), "'rows[2].search' must have four values for each of 'layers'"),
    ],
)
def test_what_does_not_fit_is_refused_with_file_and_key(tmp_path, content, complaint):
    write(tmp_path, content)
    with pytest.raises(ResultError) as refusal:
        load_results(tmp_path)
    sentence = str(refusal.value)
    assert complaint in sentence and "study.json" in sentence and sentence.count(".\n") == 0 and sentence.endswith(".")


def test_a_row_is_held_against_the_baseline_of_its_setting(tmp_path):
    rows = [
        row(norm, norm.upper(), [value]) | {"setting": setting}
        for norm, setting, value in (
            ("bn", "", 50.0),
            ("bn", "rain", 48.0),
            ("habn", "rain", 49.0),
            ("habn", "snow", 49.5),
        )
    ]
    study = load_study(write(tmp_path, PLAIN | {"rows": rows}))
    gaps = [difference and difference.mean for difference in map(study.difference, study.rows)]
    assert gaps == [None, -2.0, 1.0, -0.5]


def test_holm_makes_p_larger_the_more_there_are():
    assert holm([0.01, 0.04, None, 0.03, 0.005]) == pytest.approx([0.03, 0.06, None, 0.06, 0.02])
    assert holm([0.04]) == [0.04] and holm([]) == [] and holm([0.9, 0.8]) == [1.0, 1.0]


def test_what_is_found_alone_is_told_apart(tmp_path):
    rows = [row("bn", "BN", [50.0, 51.0, 52.0]), row("habn", "HABN", [51.0, 52.4, 52.9])]
    study = load_study(write(tmp_path, PLAIN | {"rows": rows}))
    assert study.difference(study.rows[1]).p == pytest.approx(0.0187, abs=1e-4)
    assert "by 1.10 on average over 3 seeds, more than chance explains." in draw_results([study], None, (), "en")
    several = replace(study, rows=(*study.rows, *(replace(study.rows[0], norm=n, label=n) for n in ("in", "film"))))
    page = draw_results([several], None, (), "en")
    assert "taken alone more than chance explains, but not as one of 3 comparisons." in page


def test_a_row_is_added_or_replaced_and_another_study_refused(tmp_path):
    study = load_study(write(tmp_path, STUDY))
    again = STUDY | {"rows": [row("bn", "BN", [60.0])], "command": "python -m habn.evaluate"}
    add_rows(load_study(write(tmp_path / "..", again, "study_again")), tmp_path)
    newer = load_study(write(tmp_path, again))
    path = tmp_path / "both" / "study.json"
    save_study(study, path.parent)
    add_rows(newer, path.parent)
    both = load_study(path)
    assert [r.norm for r in both.rows] == ["bn", "habn", "habn-plus"] and both.rows[0].values == (60.0,)
    assert both.command.splitlines() == [*study.command.splitlines(), "python -m habn.evaluate"]
    with pytest.raises(ResultError, match="'baseline' is 'bn', which no row has"):
        save_study(replace(study, name="lone", rows=study.rows[1:]), path.parent)
    assert not list(path.parent.glob("lone*")), "what cannot be read again is not left behind"
    with pytest.raises(ResultError, match="another 'steps'"):
        add_rows(load_study(write(tmp_path, again | {"steps": 1})), path.parent)


def test_a_row_brings_all_that_is_its_own_along(tmp_path):
    study = load_study(write(tmp_path, STUDY))
    path = save_study(study, tmp_path / "both")
    newer = replace(study.rows[0], weather={"haze": ((9.0, 8.0, 7.0),) * 3}, curves=())
    add_rows(replace(study, rows=(newer,)), path.parent)
    assert load_study(path).rows == (newer, *study.rows[1:])
    for other in (None, replace(study.weather, pictures=3)):
        with pytest.raises(ResultError, match="another 'weather'"):
            bare = replace(newer, weather={})
            add_rows(replace(study, rows=(bare,), weather=other), path.parent)


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_a_file_of_results_is_what_would_be_written(tmp_path, path):
    assert save_study(load_study(path), tmp_path).read_text() == path.read_text()


def test_tables_hold_mean_spread_difference_and_caption(tmp_path):
    table = tables_markdown([load_study(write(tmp_path, STUDY))])
    assert "| BN | 51.00 ± 1.00 |  |  | 3 | 1,000 |" in table
    assert "| HABN | 51.07 ± 1.11 | +0.07 (-0.31 to +0.45) | 0.529 | 3 | 1,005 (+0.50%) |" in table
    assert "2,000 steps, 43.5 epochs, branched; 2 cores, 2026-01-31, commit abc1234." in table
    assert "| haze | 37.00 | 39.50 |" in table, "strength 0 is no weather"
    assert "| all, minus BN |  | +" in table


def test_further_figures_stand_beside_the_main_one(tmp_path):
    table = tables_markdown([load_study(write(tmp_path, STYLE_STUDY))])
    assert (
        "| SqueezeNet Fréchet distance ↓ | minus BN (95 % interval) | p | distance to the painting ↓ | SSIM |" in table
    )
    assert "| HABN+ | 0.255 ± 0.005 | -0.055 (-0.067 to -0.043) | 0.003 | 0.610 ± 0.017 | 0.610 ± 0.017 | 3 |" in table
    assert "commit abc1234. 25 photographs & eight styles." in table
    assert "| style | BN | HABN+ |" in table and "| my_painting | 0.210 ± 0.017 | 0.210 ± 0.017 |" in table
    filled = fill_places("<!-- results:study/by-style -->\n<!-- /results -->", load_results(tmp_path))
    assert "great_wave" in filled and "commit" not in filled


def test_only_the_places_of_a_readme_are_filled(tmp_path):
    studies = [load_study(write(tmp_path, STUDY))]
    text = "before\n<!-- results:study/weather -->\nold\n<!-- /results -->\nafter\n"
    filled = fill_places(text, studies)
    assert filled.startswith("before\n") and filled.endswith("after\n") and "old" not in filled and "haze" in filled
    assert fill_places(filled, studies) == filled
    with pytest.raises(ResultError, match="no table 'other'; choose one of study, study/weather"):
        fill_places("<!-- results:other -->\n<!-- /results -->", studies)


@pytest.mark.parametrize("file", ["README.md", "docs/measured.md"])
def test_tables_in_texts_are_those_of_the_results(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert "<!-- results:" in text
    stale = f"{file} differs from results/; run python -m habn.results --write README.md docs/measured.md"
    assert fill_places(text, load_results(), {NAME: speed_markdown()}) == text, stale


def test_every_study_has_its_table_in_the_texts():
    texts = "".join((ROOT / file).read_text(encoding="utf-8") for file in ("README.md", "docs/measured.md"))
    missing = {study.name for study in load_results() if f"<!-- results:{study.name} -->" not in texts}
    assert missing == set()


def test_the_claims_are_marked_and_stand_apart_from_what_was_measured():
    claims = load_claims()
    assert "not checked" in claims.note["en"] and "no está comprobado" in claims.note["es"]
    page = draw_results(load_results(), claims, load_shipped_scores(), "en")
    measured, claimed = page.split('<details class="more claimed">')
    for figure in ("72.1", "75.8", "18.5", "15.2", "+0.5 %"):
        assert figure in claimed
    assert "Claimed, not checked" in claimed
    marks = re.findall(r'<tbody class="claimed-mark">.*?</tbody>', measured, re.DOTALL)
    assert len(marks) == 2, "in grey, beside what was measured"
    rest = re.sub(r'<tbody class="claimed-mark">.*?</tbody>', "", measured, flags=re.DOTALL)
    assert "FID" not in rest and "laimed" not in rest


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_tab_shows_all_parts_of_a_study_and_escapes_texts(tmp_path, language):
    page = draw_results([load_study(write(tmp_path, STUDY))], None, (), language)
    assert ("Three ways", "Tres maneras")[language == "es"] in page
    assert page.count('<svg viewBox="0 0 340 230"') == len(WEATHERS) + 1, "a chart per weather, and the curves"
    assert "python -m habn.train &lt;first&gt;" in page
    assert ("+2.00 (+1.75 to +2.25)", "+2,00 (de +1,75 a +2,25)")[language == "es"] in page
    assert len(re.findall(r'style="--share: 0\.500"', page)) == 2 * len(LAYERS)
    assert page.count("<title>") == page.count("<desc>") == len(WEATHERS) + 1
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


def test_the_tab_says_what_may_be_concluded(tmp_path):
    page = draw_results([load_study(write(tmp_path, STUDY))], None, (), "en")
    assert "HABN against BN: with 3 seeds no difference can be told from chance." in page
    assert "HABN+ is better than BN by 2.00 on average over 3 seeds" in page
    lower = changed("metric", "higher_is_better", to=False)
    assert "HABN+ is worse than BN" in draw_results([load_study(write(tmp_path, lower))], None, (), "en")
    single = changed("rows", to=[row("bn", "BN", [50.0]), row("habn", "HABN", [51.0])])
    assert "one seed only" in draw_results([load_study(write(tmp_path, single))], None, (), "en")
    single["rows"].append(row("in", "IN", [52.0]))
    page = draw_results([load_study(write(tmp_path, single))], None, (), "en")
    assert "HABN; IN against BN: one seed only" in page, "what is the same is said once"
    single["rows"] += [row("habn", "HABN", [51.0]) | {"setting": f"number {k}"} for k in range(3)]
    page = draw_results([load_study(write(tmp_path, single))], None, (), "en")
    assert "All others against BN: one seed only" in page


def test_of_many_changes_to_one_network_the_changes_are_listed(tmp_path):
    parts = {"delta = 0": [48.0, 49.1, 50.0], "s is its mean": [49.0, 49.9, 50.9], "without bias": [50.1, 51.0, 51.9]}
    rows = [row("habn", "HABN", [50.0, 51.0, 52.0])]
    rows += [row("habn", "HABN", values) | {"setting": setting} for setting, values in parts.items()]
    rows += [rows[-1] | {"setting": f"without {name}"} for name in ("scale", "mean")]
    study = load_study(write(tmp_path, PLAIN | {"rows": rows, "baseline": "habn"}))
    page = draw_results([study], None, (), "en")
    found = (
        "Worse than HABN on average over 3 seeds, more than chance explains: delta = 0 (1.97); s is its mean (1.07)."
    )
    assert found in page and "without bias; without scale; without mean against HABN: with 3 seeds no" in page
    several = replace(study, rows=tuple(replace(r, setting=f"mine, {r.setting}".rstrip(", ")) for r in study.rows))
    assert "Worse than “HABN, mine” on average" in draw_results([several], None, (), "en")


def test_all_but_the_page_s_networks_is_folded(tmp_path):
    folded = draw_results([load_study(write(tmp_path, STUDY))], None, (), "en")
    shipped = draw_results([load_study(write(tmp_path, changed("protocol", to="shipped")))], None, (), "en")
    assert "<details open" not in folded + shipped
    table = 'aria-label="Three ways"><table>'
    assert shipped.index(table) < shipped.index("<details>"), "not folded"
    assert folded.index('<details class="more">') < folded.index("HABN+ is better than BN")
    assert folded.index("HABN+ is better than BN") < folded.index("<details>") < folded.index(table)
    assert "Under weather: " in folded[: folded.index("<details>")]


def test_a_mark_stands_for_each_row_held_against_bn():
    studies = load_results()
    held = [row for study in studies if study.baseline == "bn" for row in study.rows if study.difference(row)]
    for language in ("en", "es"):
        page = draw_results(studies, load_claims(), (), language)
        assert page.count('data-role="mark"') == len(held) > 20


def test_better_than_bn_is_to_the_right_whatever_the_metric(tmp_path):
    (lead,) = leads_of(load_study(write(tmp_path, STYLE_STUDY)))
    assert lead.mean == pytest.approx(100 * 0.055 / 0.31) and lead.interval == pytest.approx(
        (13.735, 21.749), abs=0.001
    )
    of_points = leads_of(load_study(write(tmp_path, STUDY)))
    assert [lead.row.norm for lead in of_points] == ["habn", "habn-plus"] and of_points[1].mean == pytest.approx(2)
    assert leads_of(load_study(write(tmp_path, changed("baseline", to="habn")))) == []


def test_the_verdict_is_made_from_the_results(tmp_path):
    first, later = (load_study(write(tmp_path, changed("date", to=day))) for day in ("2026-01-31", "2026-02-01"))
    assert write_verdict([replace(later, baseline="habn")], "en") == [], "only what is held against BN"
    older = replace(first, rows=(*first.rows[:2], replace(first.rows[2], values=(53.0, 54.1, 54.9))))
    (sentence,) = write_verdict([later, older], "en")
    said = "after 2,000 steps HABN+ is 2.00 points ahead of BN, more than chance explains"
    assert sentence == f"Added to a trained segmentation network: {said}."
    longer = replace(first, steps=3000, rows=tuple(replace(r, values=(5.0, 1.0, 3.0)) for r in first.rows))
    (sentence,) = write_verdict([longer, first], "es")
    assert "tras 3\u202f000 pasos, HABN+ no se distingue de BN" in sentence and "2,00 puntos" in sentence
    (sentence,) = write_verdict([load_study(write(tmp_path, STYLE_STUDY))], "en")
    assert "HABN+ comes 0.055 (18 %) closer to the paintings than BN" in sentence
    ahead = replace(first.rows[1], values=(60.0, 61.0, 62.5))
    assert "(HABN: 10.17)" in write_verdict([replace(first, rows=(first.rows[0], ahead, first.rows[2]))], "en")[0]


def test_links_lead_to_every_study():
    studies = load_results()
    page = draw_results(studies, None, (), "es")
    contents = page[page.index('<nav class="contents" aria-label="Estudios">') : page.index("</nav>")]
    for study in studies:
        assert page.count(f'id="study-{study.name}"') == 1
        assert (f'href="#study-{study.name}">' in contents) == (study.protocol != "shipped")


def test_without_results_the_tab_shows_what_the_cards_say(tmp_path):
    page = draw_results((), None, load_shipped_scores(), "en")
    assert "No study has been finished yet" in page and "spvcnn-habn-camvid" in page
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "config.json").write_text("{")
    with pytest.raises(ResultError, match="config.json is not valid JSON"):
        load_shipped_scores(tmp_path)
    sentence = draw_error("/somewhere/results/a<b.json: the key 'x' is missing; run it again.", "en")
    assert "a&lt;b.json" in sentence and "somewhere" not in sentence


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_tab_says_of_all_figures_which_way_is_better(tmp_path, language):
    page = draw_results([load_study(write(tmp_path, STYLE_STUDY))], None, (), language)
    main, further = page.split("<h4>")
    names = {
        "en": ("SqueezeNet Fréchet distance", "lower is better"),
        "es": ("de Fréchet de SqueezeNet", "menos es mejor"),
    }
    assert all(name in main for name in names[language])
    assert ("−0.055 (−0.067 to −0.043)", "−0,055 (de −0,067 a −0,043)")[language == "es"] in main
    assert ("0.055 (18 %)", "0,055 (18 %)")[language == "es"] in main, "of BN's 0.31"
    assert ("25 photographs &amp; eight styles.", "25 fotografías y ocho estilos.")[language == "es"] in main
    if language == "en":
        assert "<strong>0.610</strong> ± 0.017<small>+0.100 (+0.075 to +0.125)</small>" in further
    assert ("pictures ± 0.110", "imágenes ± 0,110")[language == "es"] in further
    assert ("The Great Wave off Kanagawa", "La gran ola de Kanagawa")[language == "es"] in further
    assert "my_painting" in further, "a style without words of its own"
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("low", "high"), [(0, 5), (31.2, 49.9), (-0.02, 0.011), (7, 7), (0, 20000)])
def test_ticks_are_few_round_and_span_the_values(low, high):
    found = ticks(low, high)
    assert found[0] <= low <= high <= found[-1] and 3 <= len(found) <= 8
    step = found[1] - found[0]
    assert f"{step:e}"[0] in "125"


def test_the_table_of_costs_has_a_row_for_each_normalization(tmp_path):
    assert speed_markdown(tmp_path) is None
    same = dict(shape=[1, 3, 16, 16], amount=2.5, quartiles=[1.0, 1.5])
    timing = same | dict(what="network", work="evaluation", precision="float32", threads=1, norm="bn", ratio=1.0)
    other = [timing | dict(norm="habn", ratio=1.234), timing | dict(what="layer", norm="habn", ratio=9.0)]
    machine = dict(hardware="2 cores of X", load=[0.5, 0, 0], torch="2.13", commit="abc", date="2026-11-28", repeats=9)
    report = machine | dict(labels={"bn": "BN", "habn": "HABN"}, timings=[timing, *other])
    write(tmp_path, report, "benchmark")
    table = speed_markdown(tmp_path)
    assert "| SPVCNN with | evaluation, one thread |" in table and "| HABN | 1.23 |" in table and "9.00" not in table
    assert "2 cores of X, torch 2.13, 2026-11-28, commit abc; load 0.5" in table
    assert load_results(tmp_path) == (), "it is no study"
    page = draw_results((), None, (), "es", load_speed(tmp_path))
    assert 'data-label="Evaluación">1,23<' in page and "HABN, todas las compuertas abiertas" in page
    assert "Medianas de 9 turnos" in page and "2 cores of X" in page
    write(tmp_path, report | {"timings": [timing | {"ratio": "1"}]}, "benchmark")
    with pytest.raises(ResultError, match=r"benchmark.json: 'timings\[0\].ratio' must be a valid number"):
        load_speed(tmp_path)
