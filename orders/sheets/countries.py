"""Countries as files name them. Source: ISO 3166-1, English short names and the names that exports use."""

_NAMES = """
AD Andorra;AE United Arab Emirates,UAE,Emirati Arabi Uniti;AL Albania;AR Argentina;AT Austria,Österreich;AU Australia
BA Bosnia and Herzegovina;BE Belgium,Belgio,Belgique,België;BG Bulgaria;BH Bahrain;BR Brazil,Brasile,Brasil
CA Canada;CH Switzerland,Svizzera,Schweiz,Suisse;CL Chile,Cile;CN China,Cina;CO Colombia;CY Cyprus,Cipro
CZ Czech Republic,Czechia,Repubblica Ceca;DE Germany,Germania,Deutschland,Allemagne;DK Denmark,Danimarca,Danmark
EE Estonia;EG Egypt,Egitto;ES Spain,Spagna,España,Espagne;FI Finland,Finlandia,Suomi;FR France,Francia
GB United Kingdom,UK,Great Britain,Regno Unito,England,Scotland,Wales,Northern Ireland;GR Greece,Grecia
HK Hong Kong,Hong Kong SAR;HR Croatia,Croazia,Hrvatska;HU Hungary,Ungheria;ID Indonesia;IE Ireland,EIRE,Irlanda
IL Israel,Israele;IN India;IS Iceland,Islanda;IT Italy,Italia,Italien,Italie;JP Japan,Giappone;KR South Korea
LB Lebanon,Libano;LI Liechtenstein;LT Lithuania,Lituania;LU Luxembourg,Lussemburgo;LV Latvia,Lettonia
MA Morocco,Marocco;MC Monaco;MD Moldova;ME Montenegro;MK North Macedonia;MT Malta;MX Mexico,Messico;MY Malaysia
NL Netherlands,Paesi Bassi,The Netherlands,Holland,Nederland;NO Norway,Norvegia,Norge;NZ New Zealand;PE Peru
PL Poland,Polonia,Polska;PT Portugal,Portogallo;RO Romania;RS Serbia;RU Russia,Russian Federation
SA Saudi Arabia,Arabia Saudita;SE Sweden,Svezia,Sverige;SG Singapore;SI Slovenia;SK Slovakia,Slovacchia
SM San Marino;TH Thailand;TN Tunisia;TR Turkey,Türkiye,Turchia;TW Taiwan;UA Ukraine,Ucraina
US United States,United States of America,USA,Stati Uniti;VA Vatican City;VN Vietnam;ZA South Africa,RSA,Sudafrica
"""


def _table() -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in _NAMES.replace("\n", ";").split(";"):
        if entry.strip():
            code, _blank, names = entry.partition(" ")
            found |= {name.strip().casefold(): code for name in names.split(",")}
    return found


_CODES = _table()


def country_code(text: str) -> str:
    """The two letters of a country that is written as its code or its name; "" for what is neither."""
    given = text.strip()
    if len(given) == 2 and given.isascii() and given.isalpha() and given.upper() != "UK":
        return given.upper()
    return _CODES.get(given.casefold(), "")
