"""Words an audience's name must not carry: platforms flag them, and people rightly resent them."""

import re
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


#: What advertising platforms treat as personal attributes; ``-`` at the end stands for any ending.
SENSITIVE: Final[dict[str, tuple[str, ...]]] = {
    "health": _words(
        "health healthcare ill illness sick sickness disease- disorder- disab- medic- pharma- drug "
        "drugs patient patients therap- treatment- diabet- cancer- depress- anxiety allerg- "
        "pregnan- fertil- obes- overweight diet diets dietary addict- alcohol- hiv prescription- "
        "symptom- incontinen- vitamin- hygiene"
    ),
    "finance": _words(
        "income- salary salaries wage wages poor poverty rich wealth- affluent debt- indebted "
        "credit loan loans mortgage- bankrupt- insolven- unemploy- jobless insur- payday homeowner- "
        "welfare"
    ),
    "age": _words(
        "age ages aged old older oldest elder- senior seniors young younger teen- adolescen- kid "
        "kids child children millennial- boomer- pensioner- retire- menopaus-"
    ),
    "religion": _words(
        "religio- faith church- christian- catholic- protestant- muslim- islam- jew jews jewish "
        "hindu- buddhis- sikh- atheis- kosher halal"
    ),
    "origin": _words(
        "race racial ethnic- nationalit- immigra- migrant- refugee- black hispanic- latino- latina- "
        "asian- african- arab arabs caucasian- indigenous"
    ),
    "sex and gender": _words(
        "gender- sex sexual- male males female females man men woman women gay lesbian- bisexual- "
        "transgender- queer lgbt- divorc- singles widow-"
    ),
    "belief and membership": _words(
        "politic- republican- democrat- conservative- liberal- voter- vote union unions"
    ),
    "law": _words("crime- criminal- convict- arrest- prison- felon- offender-"),
}

_PATTERN: Final = re.compile(
    r"\b(?:"
    + "|".join(
        re.escape(word[:-1]) + r"\w*" if word.endswith("-") else re.escape(word)
        for words in SENSITIVE.values()
        for word in words
    )
    + r")\b",
    re.IGNORECASE,
)


def sensitive_words(text: str) -> tuple[str, ...]:
    """The words of *text* a platform may take for a personal attribute, in order; empty when it may go."""
    return tuple(_PATTERN.findall(text.replace("_", " ")))
