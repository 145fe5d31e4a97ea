"""Made-up customers as real ones look, the same for the same seed."""

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

#: Shares of customers without an e-mail or a phone, and of e-mails that are not ASCII.
_NO_EMAIL, _NO_PHONE = 0.05, 0.2
_FOREIGN_DOMAIN, _ACCENTS = 0.001, 0.002

#: As the sources hand them on.
ROWS_A_BATCH = 65_536


def _words(text: str) -> list[str]:
    return text.split()


_FIRST = _words(
    "Ann Bob Maria José Zoë Léa Søren Jürgen Emma Liam Noah Olivia Mia Paul Anna-Lena Jean-Luc Ömer Aylin "
    "Giulia Marco Łukasz Zofia Björn Freya Sean Niamh Wei Mei Haruto Yui Ana Pedro Inês Tom Kate Ida"
)
_STEMS = _words(
    "Smith Müller Schmidt García Rossi Nowak Johansson Hansen O'Neil Martin Silva Tanaka Öztürk Jones "
    "Brown Meyer Dubois Moreau Bianchi Kowalski Larsen Berg Costa Sato Demir White Becker Weber Fischer"
)
_ENDINGS = ["", "", "", "-Berg", "son", "er", "ová", "s", "elli", "ez", " Jr.", "inger", "mann", "ini"]
_CITIES = {
    "US": ("New York", "St. Louis", "San José", "Austin"),
    "GB": ("London", "Stoke-on-Trent", "York", "Leeds"),
    "DE": ("Berlin", "München", "Köln", "Halle (Saale)"),
    "FR": ("Paris", "Aix-en-Provence", "Orléans", "Lyon"),
    "ES": ("Madrid", "Cádiz", "A Coruña", "Bilbao"),
    "IT": ("Roma", "Forlì", "Milano", "Torino"),
    "PL": ("Warszawa", "Łódź", "Kraków", "Gdynia"),
    "SE": ("Stockholm", "Malmö", "Lund", "Umeå"),
    "BR": ("São Paulo", "Recife", "Rio de Janeiro", "Natal"),
    "TR": ("İstanbul", "İzmir", "Ankara", "Bursa"),
}
_DOMAINS = _words(
    "gmail.com gmail.com gmail.com googlemail.com yahoo.com outlook.com hotmail.com icloud.com web.de "
    "gmx.net orange.fr libero.it wp.pl example.co.uk uol.com.br mail.bücher.example"
)
#: How a number is written: digits take the place of #.
_PHONES = {
    "US": ("(650) 555-####", "+1 212-555-####", "415.555.####"),
    "GB": ("020 7946 ####", "+44 7700 90####", "07700 90####"),
    "DE": ("030 9018####", "+49 151 2345####", "0151/2345####"),
    "FR": ("01 23 45 ## ##", "+33 6 12 34 ## ##", "0612 34####"),
    "ES": ("612 34 ####", "+34 912 34 ####", "91234####"),
    "IT": ("06 6982 ####", "+39 347 123 ####", "347123####"),
    "PL": ("22 345 ####", "+48 512 34 ####", "51234####"),
    "SE": ("08-12 34 ####", "+46 70 123 ## ##", "070-123####"),
    "BR": ("(11) 96123-####", "+55 11 96123 ####", "1196123####"),
    "TR": ("0212 345 ####", "+90 532 123 ## ##", "0532123####"),
}
_COUNTRY_NAMES = {"US": "USA", "GB": "UK", "DE": "Germany", "FR": "France", "BR": "Brazil"}

Numbers = npt.NDArray[np.int64]


def batches(rows: int, *, seed: int = 20261121) -> Iterator[pa.RecordBatch]:
    """Make customers batch by batch; none is kept."""
    for number, start in enumerate(range(0, rows, ROWS_A_BATCH)):
        yield customers(min(ROWS_A_BATCH, rows - start), np.random.default_rng([seed, number]))


def customers(rows: int, draw: np.random.Generator) -> pa.RecordBatch:
    """Make customers of ten countries: e-mail, phone, names and address, some missing, some odd."""
    countries = _pick(list(_PHONES), draw.integers(0, len(_PHONES), rows))
    first = _pick(_FIRST, draw.integers(0, len(_FIRST), rows))
    last = _pick([stem + ending for stem in _STEMS for ending in _ENDINGS], _skewed(draw, rows, 406))
    numbers = draw.integers(0, 10_000_000, rows)
    return pa.RecordBatch.from_pydict(
        {
            "email": pa.array(_emails(first, last, numbers, draw), mask=draw.random(rows) < _NO_EMAIL),
            "phone": pa.array(_phones(countries, draw), mask=draw.random(rows) < _NO_PHONE),
            "first_name": [_dressed(name, n) for name, n in zip(first, numbers.tolist(), strict=True)],
            "last_name": last,
            "city": [
                _CITIES[country][n % 4] for country, n in zip(countries, numbers.tolist(), strict=True)
            ],
            "postal_code": [
                _postal_code(country, n) for country, n in zip(countries, numbers.tolist(), strict=True)
            ],
            "country": [
                _COUNTRY_NAMES.get(country, country) if n % 5 == 0 else country
                for country, n in zip(countries, numbers.tolist(), strict=True)
            ],
        }
    )


def _pick(choices: Sequence[str], chosen: Numbers) -> list[str]:
    return [choices[one] for one in chosen.tolist()]


def _skewed(draw: np.random.Generator, rows: int, most: int) -> Numbers:
    """Few names are common, most are rare."""
    return np.asarray(draw.random(rows) ** 2 * most, dtype=np.int64)


def _emails(
    first: Sequence[str], last: Sequence[str], numbers: Numbers, draw: np.random.Generator
) -> list[str]:
    plain = str.maketrans("éëøüÖŁöíêá", "eeouOLoiea", " .'")
    domains = _pick(_DOMAINS, np.where(draw.random(len(first)) < _FOREIGN_DOMAIN, 15, numbers % 15))
    styles = draw.integers(0, 100, len(first)).tolist()
    accents = (draw.random(len(first)) < _ACCENTS).tolist()
    found = []
    for one, two, number, domain, style, as_written in zip(
        first, last, numbers.tolist(), domains, styles, accents, strict=True
    ):
        local = f"{one}.{two}{number}" if style % 2 else f"{one[0]}{two}{number}"
        local = local.replace(" ", "") if as_written else local.translate(plain)
        local = f"{local}+news" if style % 25 == 0 else local
        text = f"{local}@{domain}"
        found.append(f" {text} " if style % 20 == 1 else text if style % 3 else text.lower())
    return found


def _phones(countries: Sequence[str], draw: np.random.Generator) -> list[str]:
    ways = draw.integers(0, 3, len(countries)).tolist()
    digits = draw.integers(0, 10_000, len(countries)).tolist()
    found = []
    for country, way, number in zip(countries, ways, digits, strict=True):
        pattern = _PHONES[country][way]
        for digit in f"{number:04}":
            pattern = pattern.replace("#", digit, 1)
        found.append(pattern)
    return found


def _dressed(name: str, number: int) -> str:
    return f" {name.upper()}" if number % 17 == 0 else f"Dr. {name}" if number % 97 == 0 else name


def _postal_code(country: str, number: int) -> str:
    if country == "GB":
        return f"SW{number % 20}{chr(65 + number % 26)} {number % 9}AA"
    if country == "BR":
        return f"{number % 99_999:05}-{number % 999:03}"
    return f"{number % 99_999:05}-{number % 9999:04}" if number % 31 == 0 else f"{number % 99_999:05}"
