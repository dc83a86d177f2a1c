"""Who buys from the demo's shop: people and addresses of six countries, put together from a seed. Pure."""

import random
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orders.neutral import NeutralAddress, NeutralBuyer


class Town(NamedTuple):
    name: str
    region: str
    postal_code: str


class Country(NamedTuple):
    """`street` says how a house number stands beside a street's name."""

    language: str
    phone: str
    given: Sequence[str]
    family: Sequence[str]
    streets: Sequence[str]
    towns: Sequence[Town]
    street: str = "{street} {number}"


# ruff: noqa: E501  (one list a line reads as a table)
COUNTRIES: Mapping[str, Country] = {
    "IT": Country(
        "it", "+39 340",
        ("Giulia", "Marco", "Chiara", "Luca", "Sara", "Paolo", "Elena", "Francesca", "Davide", "Martina", "Alessandro", "Valentina", "Matteo", "Silvia", "Andrea", "Federica", "Stefano", "Ilaria", "Giorgio", "Beatrice"),
        ("Ferri", "Conti", "De Luca", "Moretti", "Galli", "Rinaldi", "Costa", "Bruno", "Gatti", "Marchetti", "Bianchi", "Ricci", "Greco", "Fontana", "Villa", "Serra", "Caruso", "Longo", "D'Amico", "Barbieri"),
        ("Via Garibaldi", "Corso Buenos Aires", "Via dei Mille", "Via Saragozza", "Viale Trastevere", "Via San Lorenzo", "Via Roma", "Piazza Duomo", "Via Zanardelli", "Via Mazzini", "Corso Vittorio Emanuele II", "Via Cavour"),
        (Town("Torino", "TO", "10122"), Town("Milano", "MI", "20124"), Town("Napoli", "NA", "80121"), Town("Bologna", "BO", "40123"), Town("Roma", "RM", "00153"), Town("Genova", "GE", "16123"), Town("Palermo", "PA", "90133"), Town("Firenze", "FI", "50122"), Town("Brescia", "BS", "25121"), Town("Verona", "VR", "37121"), Town("Bari", "BA", "70122"), Town("Cagliari", "CA", "09124")),
    ),
    "DE": Country(
        "de", "+49 151",
        ("Anna", "Jürgen", "Lena", "Lukas", "Katharina", "Felix", "Sabine", "Jonas"),
        ("Schmidt", "Weiß", "Müller", "Becker", "Hoffmann", "Schäfer", "Krüger", "Vogel"),
        ("Lindenstraße", "Königsallee", "Hauptstraße", "Schillerstraße", "Am Markt", "Bergweg"),
        (Town("Berlin", "", "10969"), Town("Düsseldorf", "", "40212"), Town("München", "", "80331"), Town("Hamburg", "", "20095"), Town("Leipzig", "", "04109")),
    ),
    "FR": Country(
        "fr", "+33 6",
        ("Claire", "Julien", "Camille", "Antoine", "Élodie", "Hugo"),
        ("Martin", "Lefèvre", "Moreau", "Dubois", "Girard", "Fontaine"),
        ("rue de la Paix", "rue Victor Hugo", "avenue de la Gare", "rue des Écoles", "boulevard Voltaire"),
        (Town("Lyon", "", "69002"), Town("Paris", "", "75011"), Town("Nantes", "", "44000"), Town("Nice", "", "06000")),
        "{number} {street}",
    ),
    "ES": Country(
        "es", "+34 600",
        ("Lucía", "Javier", "Carmen", "Pablo", "Marta", "Sergio"),
        ("Fernández", "García", "Romero", "Ortega", "Navarro", "Iglesias"),
        ("Calle Mayor", "Calle de Alcalá", "Avenida Diagonal", "Calle Serrano"),
        (Town("Madrid", "", "28013"), Town("Barcelona", "", "08036"), Town("Sevilla", "", "41004"), Town("Valencia", "", "46002")),
    ),
    "GB": Country(
        "en", "+44 7700",
        ("James", "Olivia", "Harry", "Amelia", "George", "Isla", "Oliver", "Grace"),
        ("Walker", "Hughes", "Bennett", "Clarke", "Murray", "Wright", "Foster", "Shaw"),
        ("Rose Street", "High Street", "Station Road", "Church Lane", "Victoria Road", "Park Avenue"),
        (Town("Edinburgh", "", "EH2 2PR"), Town("London", "", "N1 9GU"), Town("Bristol", "", "BS1 4QA"), Town("Leeds", "", "LS1 5AS"), Town("Cardiff", "", "CF10 1EP")),
        "{number} {street}",
    ),
    "JP": Country(
        "en", "+81 90",
        ("Haruka", "Kenji", "Yuki", "Sakura", "Takumi", "Aoi", "Daichi", "Mio"),
        ("Tanaka", "Satō", "Suzuki", "Watanabe", "Itō", "Kobayashi", "Nakamura", "Yamamoto"),
        ("Jingūmae", "Nakameguro", "Kitashirakawa", "Honmachi", "Daikanyamachō"),
        (Town("Shibuya-ku, Tokyo", "Tōkyō", "150-0001"), Town("Meguro-ku, Tokyo", "Tōkyō", "153-0061"), Town("Kyoto", "Kyōto", "606-8266"), Town("Osaka", "Ōsaka", "541-0053")),
        "{number}-{block} {street}",
    ),
}  # fmt: skip


def somebody(
    rng: random.Random, country: str, *, tells_email: bool = True
) -> tuple[NeutralBuyer, NeutralAddress]:
    """A buyer and where the goods go. Marketplaces do not tell the e-mail address: only who it is to them."""
    home = COUNTRIES[country]
    given, family, town = rng.choice(home.given), rng.choice(home.family), rng.choice(home.towns)
    name, number = f"{given} {family}", rng.randrange(1, 240)
    street = home.street.format(street=rng.choice(home.streets), number=number, block=rng.randrange(1, 20))
    plain = f"{given}.{family}".lower().replace(" ", "").replace("'", "").encode("ascii", "ignore").decode()
    email = f"{plain}{rng.randrange(3) or ''}@example.com" if tells_email else ""
    phone = f"{home.phone} {rng.randrange(1_000_000, 9_999_999)}" if rng.random() < 0.7 else ""
    buyer = NeutralBuyer(
        external_id="" if tells_email else f"{country}{rng.randrange(10**9):09d}",
        name=name,
        email=email,
        phone=phone,
        language=home.language,
    )
    address = NeutralAddress(
        name=name,
        line1=street,
        city=town.name,
        region=town.region,
        postal_code=town.postal_code,
        country_code=country,
        phone=phone,
        email=email,
    )
    return buyer, address
