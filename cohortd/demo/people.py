"""Made-up names and places; the area codes are real, the 555-01xx numbers behind them are nobody's."""

from typing import NamedTuple


class Place(NamedTuple):
    """A city with the area code and the ZIP code used for everybody who lives there."""

    city: str
    state: str
    postal_code: str
    area_code: str


FIRST_NAMES = (
    *(
        "Ada",
        "Alma",
        "Amos",
        "Anita",
        "Arlo",
        "Beatriz",
        "Bram",
        "Carmen",
        "Cedric",
        "Clara",
        "Cora",
        "Dario",
    ),
    *("Delia", "Dexter", "Edith", "Elias", "Elsie", "Emil", "Esther", "Fabian", "Felix", "Flora", "Gideon"),
    *(
        "Greta",
        "Hattie",
        "Hugo",
        "Inga",
        "Iris",
        "Ivan",
        "Jasper",
        "Joan",
        "Jonas",
        "Judith",
        "Kai",
        "Lena",
    ),
    *(
        "Leon",
        "Lionel",
        "Lucia",
        "Mabel",
        "Magnus",
        "Marta",
        "Milo",
        "Nadia",
        "Nestor",
        "Nora",
        "Olga",
        "Oscar",
    ),
    *("Otis", "Paloma", "Petra", "Quentin", "Ramona", "Rex", "Rosa", "Rufus", "Selma", "Silas", "Sonia"),
    *("Tessa", "Theo", "Ursula", "Vera", "Victor", "Wanda", "Xavier", "Yolanda", "Zoë"),
)

LAST_NAMES = (
    *("Abernathy", "Alvarez", "Applegate", "Ashby", "Barlow", "Bellamy", "Birch", "Blum", "Brandt"),
    *("Calloway", "Carver", "Castillo", "Clearwater", "Cobb", "Dahl", "Delgado", "Drummond", "Dunmore"),
    *(
        "Eastman",
        "Ellery",
        "Fairbanks",
        "Farrow",
        "Figueroa",
        "Finch",
        "Frost",
        "Galloway",
        "Garland",
        "Greer",
    ),
    *("Hale", "Hartwell", "Hawthorne", "Hobbs", "Ibarra", "Ingram", "Jansen", "Keane", "Kowalski", "Lark"),
    *("Lindqvist", "Lockhart", "Marlowe", "Mercado", "Middleton", "Moss", "Nakamura", "Norwood", "O'Dell"),
    *("Okafor", "Olsen", "Pemberton", "Penrose", "Quill", "Ramsey", "Reyes", "Rosario", "Sandoval", "Shaw"),
    *("Sterling", "Stone", "Tanaka", "Thornton", "Tillman", "Underwood", "Valdez", "Vance", "Wexford"),
    *("Whitaker", "Winslow", "Yates", "Zamora", "St. Clair", "van Dyke"),
)

#: 40 area codes of 100 fictional numbers each: room for every household to have one of its own.
PLACES = (
    Place("Cincinnati", "OH", "45202", "513"),
    Place("Columbus", "OH", "43215", "614"),
    Place("Cleveland", "OH", "44113", "216"),
    Place("Dayton", "OH", "45402", "937"),
    Place("Toledo", "OH", "43604", "419"),
    Place("Akron", "OH", "44308", "330"),
    Place("Indianapolis", "IN", "46204", "317"),
    Place("Fort Wayne", "IN", "46802", "260"),
    Place("Evansville", "IN", "47708", "812"),
    Place("Louisville", "KY", "40202", "502"),
    Place("Lexington", "KY", "40507", "859"),
    Place("Bowling Green", "KY", "42101", "270"),
    Place("Nashville", "TN", "37203", "615"),
    Place("Memphis", "TN", "38103", "901"),
    Place("Knoxville", "TN", "37902", "865"),
    Place("Atlanta", "GA", "30303", "404"),
    Place("Savannah", "GA", "31401", "912"),
    Place("Charlotte", "NC", "28202", "704"),
    Place("Raleigh", "NC", "27601", "919"),
    Place("Richmond", "VA", "23219", "804"),
    Place("Roanoke", "VA", "24011", "540"),
    Place("Charleston", "WV", "25301", "304"),
    Place("Detroit", "MI", "48226", "313"),
    Place("Grand Rapids", "MI", "49503", "616"),
    Place("Lansing", "MI", "48933", "517"),
    Place("Chicago", "IL", "60601", "312"),
    Place("Peoria", "IL", "61602", "309"),
    Place("Springfield", "IL", "62701", "217"),
    Place("St. Louis", "MO", "63101", "314"),
    Place("Kansas City", "MO", "64105", "816"),
    Place("Houston", "TX", "77002", "713"),
    Place("Dallas", "TX", "75201", "214"),
    Place("Austin", "TX", "78701", "512"),
    Place("Denver", "CO", "80202", "303"),
    Place("Phoenix", "AZ", "85004", "602"),
    Place("Tucson", "AZ", "85701", "520"),
    Place("Salt Lake City", "UT", "84111", "801"),
    Place("Seattle", "WA", "98101", "206"),
    Place("Portland", "OR", "97204", "503"),
    Place("Fresno", "CA", "93721", "559"),
)
