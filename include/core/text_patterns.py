"""Regular expressions that a text must match or must not contain.

DuckDB (RE2) reads them: no lookahead, bounded repetitions, and non-ASCII characters written as themselves. `.`, `\\s`,
`\\b` and `(?i)` are left out, because other engines read them differently.
"""

from __future__ import annotations

BLANK = " \t\n\r\u00a0\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff"
CONTROL = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\u202d\u202e"

# Whole texts
SAYS_SOMETHING = f"(?s:.*)[^{BLANK}](?s:.*)"
_WORD = f"[^{BLANK}{CONTROL}<>]{{1,40}}"
PLAIN_NAME = f" {{0,9}}{_WORD}(?: {{1,9}}{_WORD}){{0,9}} {{0,60}}"
CATEGORY_NAME = f" {{0,9}}{_WORD}(?: {{1,9}}{_WORD}){{0,5}} {{0,60}}"
_ISO_639_1 = (
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv dz ee el en "
    "eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu ja jv "
    "ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne "
    "ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss "
    "st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu"
)
_EITHER_CASE = "|".join(f"[{code[0]}{code[0].upper()}][{code[1]}{code[1].upper()}]" for code in _ISO_639_1.split())
LANGUAGE_CODE = f"(?:{_EITHER_CASE}|[A-Za-z]{{3}})(?:[-_][A-Za-z0-9]{{1,8}}){{0,3}}"

# Parts of texts
CONTROL_CHARACTERS = f"[{CONTROL}]"
# UTF-8 that was read as Latin-1 or Windows-1252, and the replacement character. Only some second halves count: after a
# capital at the end of a word, as in “MANHÃ”, a quotation mark or a dash is correct.
DAMAGE = "\ufffd|Ã[\u00a0-\u00bf€‚ƒ„†‡ˆ‰Š‹ŒŽ˜™š›œžŸ]|Â[\u00a0-\u00bf]|â€|ï»¿|ðŸ|Ð[\u00b0-\u00bf]|Ñ[€‚ƒ„†‡ˆ‰Š‹Œ]"
MARKUP = "<[/!?]{0,1}[A-Za-z]|<!--"
ENTITIES = "&(?:amp|lt|gt|quot|apos|nbsp|#[0-9]{1,6}|#x[0-9A-Fa-f]{1,5});"
MAIL_ADDRESS = "[A-Za-z0-9_%+-]@[A-Za-z0-9-]{1,63}(?:\\.[A-Za-z0-9-]{1,63}){0,3}\\.[A-Za-z]{2,24}"
# With a country code, with an area code in brackets, in North American and French notation, after a word such as
# “tel”, and bare with a leading zero. Years, scores, sums and dates do not match.
PHONE_NUMBER = "|".join(
    [
        "\\+[0-9]{1,3}(?:[ ().-]{0,2}[0-9]){8,12}",
        "\\([0-9]{2,4}\\) {0,1}[0-9]{3,5}[ .-]{0,1}[0-9]{4}",
        "(?:^|[^0-9.,-])[0-9][0-9]{2}[.-][0-9]{3}[.-][0-9]{4}(?:[^0-9]|$)",
        "(?:^|[^0-9.,])0[0-9](?:[ .-][0-9]{2}){4}(?:[^0-9]|$)",
        "(?:^|[^0-9.,])0[0-9]{9,10}(?:[^0-9.,]|$)",
        "(?:[Tt]el|TEL|[Pp]hone|[Tt]elefone|[Tt]el\u00e9fono|[Tt]\u00e9l\u00e9phone|[Ww]hats[Aa]pp)[.: ]{1,3}"
        "\\+{0,1}[0-9](?:[ ().-]{0,2}[0-9]){6,13}",
    ]
)

# Column names that suggest personal data. One word of the name is enough: `contact_email`, `ip`, `phone2`.
_WORDS = (
    "email mail phone mobile telephone fax address street zip postcode ssn passport iban password birthdate birthday "
    "dob ip lastname surname firstname fullname"
)
PRIVATE_WORDS = frozenset(_WORDS.split())
PRIVATE_NAMES = frozenset({"name", "first_name", "last_name", "full_name", "reader_name", "user_name", "username"})
