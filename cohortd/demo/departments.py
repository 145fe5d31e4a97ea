"""What the data calls a department, and what people call it."""

from collections.abc import Mapping
from typing import Final

#: A department that is not here has no category, as a product without a department has none.
CATEGORIES: Final[Mapping[str, str]] = {
    "AUTOMOTIVE": "Automotive",
    "CHARITABLE CONT": "Services",
    "CHEF SHOPPE": "Ready meals",
    "CNTRL/STORE SUP": "Services",
    "COSMETICS": "Cosmetics",
    "COUPON": "Coupons",
    "DELI": "Deli",
    "DRUG GM": "Drugstore",
    "ELECT &PLUMBING": "Household",
    "FLORAL": "Flowers",
    "FROZEN GROCERY": "Frozen food",
    "FUEL": "Fuel",
    "GARDEN CENTER": "Garden",
    "GM MERCH EXP": "Household",
    "GROCERY": "Grocery",
    "HOUSEWARES": "Household",
    "MEAT": "Fresh meat",
    "MEAT-PCKGD": "Packaged meat",
    "MISCELLANEOUS": "Miscellaneous",
    "NUTRITION": "Natural foods",
    "PASTRY": "Bakery",
    "PHOTO & VIDEO": "Photo and video",
    "POSTAL CENTER": "Services",
    "PROD-WHS SALES": "Produce",
    "PRODUCE": "Produce",
    "RESTAURANT": "Restaurant",
    "SALAD BAR": "Salad bar",
    "SEAFOOD": "Fresh seafood",
    "SEAFOOD-PCKGD": "Packaged seafood",
    "SPIRITS": "Wine and spirits",
    "TOYS": "Toys",
    "TRAVEL & LEISURE": "Travel and leisure",
}
