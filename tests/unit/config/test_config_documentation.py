from pathlib import Path

import pydantic
import pytest

from config import Settings, document, example, load
from config.environment import RESERVED
from config.tree import models_in

DOCS = Path(__file__).parents[3] / "docs"


def _models(model: type[pydantic.BaseModel]) -> list[type[pydantic.BaseModel]]:
    below = models_in([field.annotation for field in model.model_fields.values()])
    return [model, *(deeper for one in below for deeper in _models(one))]


def test_the_settings_page_is_current():
    assert (DOCS / "settings.md").read_text(encoding="utf-8") == document(), (
        "write it again: python -m config > docs/settings.md"
    )


@pytest.mark.parametrize("model", dict.fromkeys(_models(Settings)), ids=lambda model: model.__name__)
def test_every_key_is_documented(model):
    for name, field in model.model_fields.items():
        assert field.description, f"{model.__name__}.{name} has no description"
        assert f"| `{name}` |" in document()


def test_every_variable_that_is_no_setting_is_documented():
    assert all(name in document() for name in RESERVED)


def test_the_example_loads_untouched_and_sends_nothing(tmp_path):
    path = tmp_path / "cohortd.yaml"
    path.write_text(example(), encoding="utf-8")
    settings = load(path, environ={})
    assert settings.destinations == ()
    assert settings.sources.customers.path == str(tmp_path / "customers.csv")


def test_the_examples_commented_destinations_load_once_uncommented(tmp_path):
    head, _, commented = example().partition("destinations: []\n")
    lines = [line.removeprefix("#") for line in commented.splitlines()]
    text = head + "destinations:\n" + "\n".join(lines).replace("/run/secrets/", f"{tmp_path}/")
    (tmp_path / "meta_token").write_text("t")
    (tmp_path / "cohortd.yaml").write_text(text, encoding="utf-8")
    settings = load(tmp_path / "cohortd.yaml", environ={})
    assert [destination.name for destination in settings.destinations] == ["google", "meta", "by-hand"]


def test_the_example_says_what_the_defaults_are(tmp_path):
    path = tmp_path / "cohortd.yaml"
    path.write_text(example(), encoding="utf-8")
    plain = tmp_path / "plain.yaml"
    plain.write_text("sources: {customers: {path: customers.csv}}")
    shown, default = load(path, environ={}), load(plain, environ={})
    for name in ("segmentation", "audiences", "consent", "identity", "schedule", "guards"):
        assert getattr(shown, name) == getattr(default, name)
