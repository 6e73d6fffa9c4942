"""The vocabulary of the demo newsroom: desks (categories), their hidden sub-topics, places and verbs.

Belongs here: words only, no code. Headlines are in English whatever the story's language. No word names a person.
"""

from __future__ import annotations

# desk -> four sub-topics, each (who, what). The desk is visible; the sub-topic shows only in the words and readers.
DESKS: dict[str, tuple[tuple[str, str], ...]] = {
    "politics": (
        ("election board|opposition alliance|ruling party|campaign office", "ballot count|runoff date|debate"),
        ("parliament|senate committee|cabinet|coalition partners", "budget bill|privacy law|pension reform"),
        ("foreign ministry|trade envoys|embassy", "treaty text|visa deal|summit agenda|sanctions list"),
        ("city council|mayor's office|district assembly|town hall", "bus lanes|rent cap|waste contract|zoning plan"),
    ),
    "business": (
        ("stock exchange|fund managers|brokerages|short sellers", "share rally|bond yields|dividend plan|listing"),
        ("start-ups|venture funds|founders|accelerators", "seed round|payment app|layoffs|pitch contest"),
        ("farm cooperatives|coffee growers|grain traders", "harvest forecast|export quota|price slump"),
        ("unions|factory owners|retail chains|labour court", "wage talks|night shifts|strike ballot|minimum wage"),
    ),
    "technology": (
        ("chip makers|cloud firms|data centre owners", "processor line|power bill|supply deal|server outage"),
        ("AI labs|robotics groups|regulators", "chat assistant|safety test|training data row|voice clone"),
        ("phone makers|app stores|wearable brands|reviewers", "folding phone|battery life|update|camera"),
        ("security researchers|hackers|password managers|banks", "data leak|ransom demand|phishing wave|patch"),
    ),
    "sport": (
        ("national team|league leaders|the visitors|cup holders", "late winner|transfer|penalty shoot-out|derby"),
        ("sprinters|marathon field|relay squad", "world record|doping test|qualifying heat|trials"),
        ("the point guards|rookie class|hoops league", "overtime thriller|playoff seed|three-point streak|draft"),
        ("cyclists|peloton|mountain stage teams|tour organisers", "climb|sprint finish|yellow jersey|time trial"),
    ),
    "science": (
        ("astronomers|space agency|lander crew|telescope team", "moon landing|comet|exoplanet find|launch window"),
        ("geneticists|cell biologists|gene bank|sequencing lab", "gene map|ancient DNA|cloned seed|protein atlas"),
        ("physicists|collider team|quantum lab|fusion project", "particle hint|magnet test|qubit record|plasma run"),
        ("palaeontologists|dig team|fossil hunters|museum curators", "dinosaur nest|amber find|skull|footprints"),
    ),
    "health": (
        ("vaccine teams|epidemic centre|clinics", "malaria shots|flu season|outbreak map|booster drive"),
        ("nutritionists|school kitchens|sugar lobby|dieticians", "salt study|fasting trend|label rule|protein craze"),
        ("psychologists|crisis line|sleep clinics|employers", "burnout study|screen limit|therapy app|insomnia"),
        ("hospitals|nurses|insurers|surgeons", "waiting list|staffing gap|robot surgery|drug price"),
    ),
    "environment": (
        ("rangers|wildlife trust|poaching patrols|biologists", "elephant corridor|turtle nests|jaguar count|reef"),
        ("solar farms|grid operator|wind developers|utilities", "battery park|blackout|tariff|rooftop boom"),
        ("storm centre|fire crews|river authority|forecasters", "hurricane track|wildfire|flood wall|heat alert"),
        ("loggers|carbon traders|forest communities", "rainforest loss|offset scandal|replanting|soy frontier"),
    ),
    "culture": (
        ("film-makers|festival jury|studios|cinemas", "prize film|box office|sequel|documentary"),
        ("novelists|publishers|book fair|translators", "debut novel|poetry prize|banned book|memoir"),
        ("bands|record labels|streaming services|festival crowd", "surprise album|reunion tour|chart run|remix"),
        ("galleries|sculptors|auction house|biennial", "lost painting|mural|restitution claim|retrospective"),
    ),
    "travel": (
        ("airlines|airport staff|budget carriers|pilots", "baggage fees|route map|delay payouts|night flights"),
        ("hikers|park guides|mountain huts|trail volunteers", "ridge trail|permit lottery|summit day|rope bridge"),
        ("street cooks|tasting tours|market stalls|night bazaars", "noodle queue|spice route|taco map|tea house"),
        ("hoteliers|rail operators|cruise lines|beach towns", "sleeper train|tourist tax|off-season deal|island ferry"),
    ),
    "lifestyle": (
        ("home cooks|bakers|recipe writers|grill masters", "one-pot dinner|sourdough|pickle craze|weeknight curry"),
        ("designers|thrift shops|tailors|fashion week", "linen suit|sneaker drop|mending kit|runway"),
        ("parents|teachers|grandparents|child minders", "screen rules|school run|bedtime|pocket money"),
        ("gardeners|tiny-home owners|decorators|plant shops", "balcony herbs|paint colour|compost bin|small kitchen"),
    ),
    "crime": (
        ("fraud squad|bank tellers|auditors|prosecutors", "ponzi scheme|forged invoice|crypto theft|shell firm"),
        ("detectives|cold-case unit|forensic lab|jury", "missing boat|reopened case|fingerprint|verdict"),
        ("customs|port police|drug squad|coast guard", "cocaine haul|smuggling ring|speedboat chase|sealed crate"),
        ("police chief|body-camera trial|watchdog|protesters", "custody death|patrol plan|complaint file|curfew"),
    ),
    "opinion": (
        ("economists|columnists|our readers|think tanks", "inflation myth|tax debate|growth puzzle|debt trap"),
        ("ethicists|essayists|philosophers|editors", "free speech|loneliness|meaning of work|honesty"),
        ("historians|archivists|veterans|witnesses", "forgotten revolt|lost railway|independence day|old map"),
        ("satirists|cartoonists|critics|letter writers", "modern manners|queueing|small talk|bad advice"),
    ),
}
CATEGORIES = tuple(DESKS)
SUBTOPICS = 4
TOPICS = len(CATEGORIES) * SUBTOPICS

REGIONS = ("latin_america", "africa", "north_america")
LANGUAGES = ("en", "es", "fr", "pt")
PLANS = ("monthly", "yearly", "student", "trial")

PLACES = (
    ("Bogotá", "Lima", "Santiago", "Mexico City", "São Paulo", "Quito", "Montevideo", "Medellín", "Recife", "Córdoba"),
    ("Lagos", "Nairobi", "Accra", "Dakar", "Kigali", "Cape Town", "Abidjan", "Luanda", "Kampala", "Tunis"),
    ("Toronto", "Chicago", "Houston", "Denver", "Montreal", "Seattle", "Atlanta", "Boston", "Calgary", "Phoenix"),
)

VERBS = (
    "weigh up", "question", "put off", "celebrate", "defend", "rethink", "bet on", "turn against", "prepare for",
    "argue over", "win", "lose", "explain", "welcome", "fear", "look past", "speed up", "slow down",
)  # fmt: skip
TEMPLATES = (
    "{place}: {who} {verb} {what}",
    "{who} in {place} {verb} {what}",
    "Why {who} {verb} {what}",
    "{what}: how {who} in {place} see it",
    "{place} watches as {who} {verb} {what}",
    "Five things to know as {who} {verb} {what}",
)
TEASERS = (
    "After {hours} hours of talk about {what}, {who} {verb} {other}. What it means for {place}.",
    "{who} {verb} {other}, and {place} is divided over {what}.",
    "In {place}, {who} {verb} {what}; next comes {other}. Our {desk} desk reports.",
    "{count} voices on {what} and {other}, and why {who} {verb} both.",
)

OUTLET_FIRST = ("Morning", "Evening", "National", "Coastal", "Open", "Northern", "Southern", "Daily", "Free", "Union")
OUTLET_LAST = ("Courier", "Ledger", "Observer", "Tribune")
