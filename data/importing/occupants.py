"""People who live in the homes (实有人口): matched to their home; of an identity number four characters and a hash."""

from __future__ import annotations

import hmac
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.identity import check_identity, find_birth_date, is_under_fourteen, split_identity
from data.importing.columns import ID_NUMBER, MOBILE_NUMBER
from data.importing.getting import ColumnGetter, get_persons
from data.importing.incoming import Incoming, merge_duplicates
from data.importing.layer import Layer
from data.importing.locating import Locator
from data.importing.persons import PersonRules
from data.importing.registers import find_word
from data.importing.report import FIRST_ROWS, ImportReport
from data.importing.times import read_dates, to_dates
from data.importing.values import to_flags, to_numbers
from data.store import Store
from gis.errors import BadRecordError

Mask = npt.NDArray[np.bool_]
_KINDS: Final = (
    ("tenant", "租|寄住|寄宿|tenant|lodger"),
    ("owner", "户主|业主|房主|产权|本人|owner"),
    ("family", "配偶|夫|妻|子|女|父|母|媳|婿|孙|祖|兄|弟|姐|妹|亲|family|spouse|child|parent"),
    ("other", "其他|other|非亲属"),
)
_FLOATING: Final = "流动|流入|暂住|寄住|外来|租|floating"
_SETTLED: Final = "常住|户籍|本地|本市|非流动|resident"
_FULL_AGE: Final = 14
_OLDEST: Final = 125  # the oldest person of whom it is proved reached 122 (J. Calment, 1875–1997)


@dataclass(frozen=True)
class _Identities:
    """Of each row: last four characters, keyed hash and day of birth; None where there is no number."""

    last4: list[str | None]
    hashes: list[str | None]
    born_on: list[date | None]
    bad: Mask


def plan_occupants(
    store: Store,
    layers: list[Layer],
    locator: Locator,
    incoming: Sequence[Incoming],
    rules: PersonRules,
    report: ImportReport,
) -> list[Incoming]:
    """
    Rows for `occupants`, and for homes where somebody under fourteen lives; `units` in `incoming` get that themselves.

    Nobody under fourteen gets a row; rows that lead to no home or whose identity number is wrong are refused by row.
    """
    coming = [one for one in incoming if one.table == "units"]
    homes = {*store.read("SELECT unit_id FROM units")["unit_id"], *(u for one in coming for u in one.frame["unit_id"])}
    frames, labels, minors = [], [], set[str]()
    for layer in layers:
        frame, label, young = _build_layer(layer, locator, homes, rules, report)
        frames.append(frame)
        labels.append(label)
        minors |= young
    frame = pd.concat(frames, ignore_index=True)
    result = []
    if len(frame):
        frame["occupant_id"] = _find_ids(store, frame, rules)
        source = ", ".join(layer.source for layer in layers)
        keep = merge_duplicates(
            frame, "occupant_id", np.concatenate(labels), source, report, compare=["unit_id", "name"]
        )
        frame = frame[keep].reset_index(drop=True)
        result.append(
            Incoming(
                "occupants", "occupant_id", frame, pd.DataFrame({"kind": "other", "floating": False}, index=frame.index)
            )
        )
    for one in coming:
        here = one.frame["unit_id"].isin(minors)
        one.frame["has_minor"] = pd.Series(True, one.frame.index, dtype="object").where(here, None)
        minors -= set(one.frame["unit_id"])
    if minors:
        result.append(Incoming("units", "unit_id", pd.DataFrame({"unit_id": sorted(minors), "has_minor": True})))
    return result


def _build_layer(
    layer: Layer, locator: Locator, homes: set[str], rules: PersonRules, report: ImportReport
) -> tuple[pd.DataFrame, npt.NDArray[np.object_], set[str]]:
    """Rows to keep, what they are called, and the homes of those under fourteen."""
    column = ColumnGetter(layer.canonical("occupant"))
    person = get_persons(layer)
    label = layer.labels()
    numbers = _read_identities(person("identity"), column("document_kind"), rules, layer, report)
    minor, ageless, bad_age = _find_minors(numbers, person, rules)
    report.add_mask(
        "refused", "age_impossible", layer.source, "have a date of birth or an age that is none", bad_age, label
    )
    nameless = person("name").isna().to_numpy() & np.array([h is None for h in numbers.hashes], dtype=bool) & ~minor
    nameless &= ~(numbers.bad | bad_age)
    report.add_mask(
        "refused", "occupant_nameless", layer.source, "have neither a name nor an identity number", nameless, label
    )
    bad = numbers.bad | bad_age | nameless
    where = locator.locate(column, bad)
    said = "u-" + column("unit_id")
    home = said.where(said.isin(homes)).fillna(where.unit_id)
    homeless = home.isna().to_numpy() & ~bad
    reasons = np.where(
        where.building_id.notna().to_numpy(),
        "the building is known, this dwelling is not: import units first",
        where.why,
    )
    report.add(
        "refused",
        "no_home",
        layer.source,
        "lead to no home",
        count=int(homeless.sum()),
        rows=[f"{label[i]}: {reasons[i]}" for i in np.flatnonzero(homeless)[:FIRST_ROWS]],
    )
    left = read_dates(column("moved_out_on"), "moved_out_on", layer, report)
    over = (left < pd.Timestamp(rules.moved_from)).fillna(False).to_numpy(dtype=bool) & ~bad & ~homeless
    report.add_mask(
        "left_out", "moved_out", layer.source, "moved out so long ago that they are kept no longer", over & ~minor
    )
    young = minor & ~bad & ~homeless & ~over & left.isna().to_numpy()
    report.add_mask(
        "left_out",
        "minors",
        layer.source,
        "persons under fourteen: of them the home says that somebody under fourteen lives there, nothing more",
        minor & ~bad & ~homeless,
    )
    keep = ~(bad | homeless | over | minor)
    report.add_mask(
        "assumed",
        "age_unknown",
        layer.source,
        "persons without identity number, date of birth and age, taken as fourteen or older",
        ageless & keep,
    )
    category = column("category")
    floating = to_flags(column("floating").where(~column("floating").str.contains(_FLOATING, na=False), "是"))
    floating = floating.where(floating.notna(), _find_floating(category))
    unsaid = floating.isna().to_numpy() & keep
    report.add_mask("assumed", "floating_unknown", layer.source, "persons taken as settled: nothing is said", unsaid)
    frame = pd.DataFrame(
        {
            "unit_id": home,
            "kind": find_word(column("relation"), _KINDS).fillna(find_word(category, _KINDS[:1])),
            "floating": floating,
            "name": person("name"),
            "phone": person("phone"),
            "identity_last4": pd.Series(numbers.last4, dtype="str"),
            "identity_hash": pd.Series(numbers.hashes, dtype="str"),
            "moved_in_on": read_dates(column("moved_in_on"), "moved_in_on", layer, report),
            "moved_out_on": left,
            "source_key": _clean_keys(column("id")),
        }
    )
    return frame[keep], label[keep], set(home[young])


def _read_identities(
    texts: pd.Series, documents: pd.Series, rules: PersonRules, layer: Layer, report: ImportReport
) -> _Identities:
    """Numbers checked, split and forgotten; wrong ones are refused by row. Of other documents nothing is kept."""
    size = len(texts)
    found = _Identities([None] * size, [None] * size, [None] * size, np.zeros(size, dtype=bool))
    foreign = (documents.notna() & ~documents.str.contains("身份证|identity|idcard", case=False, na=False)).to_numpy()
    there = texts.notna().to_numpy()
    for row in np.flatnonzero(there & ~foreign):
        try:
            number = check_identity(str(texts.iloc[row]))
        except BadRecordError:
            found.bad[row] = True
            continue
        found.last4[row], found.hashes[row] = split_identity(number, rules.identity_key)
        found.born_on[row] = find_birth_date(number)
    report.add_mask(
        "refused",
        "identity_wrong",
        layer.source,
        "have an identity number that cannot be one (18 characters, date of birth, check character): a digit was "
        "mistyped, or the spreadsheet rounded it",
        found.bad,
        layer.labels(),
    )
    report.add_mask(
        "left_out", "other_document", layer.source, "numbers of documents that are no identity card", there & foreign
    )
    return found


def _find_minors(numbers: _Identities, person: ColumnGetter, rules: PersonRules) -> tuple[Mask, Mask, Mask]:
    """Who is under fourteen, of whom nothing tells the age, and whose age or date of birth is impossible."""
    said = person("born_on")
    # 1990-05 and 199005 are common: the first of the month is near enough, and errs towards the younger by no day.
    day = to_dates(said.str.replace(r"^(\d{4})[-/.年]?(\d{1,2})月?$", r"\1-\2-28", regex=True))
    age, unreadable = to_numbers(person("age").str.replace(r"\s*(?:周?岁|years?)$", "", regex=True))
    size = len(said)
    minor, ageless, bad = np.zeros(size, dtype=bool), np.zeros(size, dtype=bool), np.zeros(size, dtype=bool)
    for row in range(size):
        born = numbers.born_on[row] or (day.iloc[row].date() if not pd.isna(day.iloc[row]) else None)
        if born is not None:
            bad[row] = born > rules.today or rules.today.year - born.year > _OLDEST
            minor[row] = is_under_fourteen(born, rules.today)
        elif pd.notna(said.iloc[row]) or unreadable[row]:
            bad[row] = True
        elif not np.isnan(age[row]):
            bad[row] = not 0 <= age[row] <= _OLDEST
            minor[row] = age[row] < _FULL_AGE
        else:
            ageless[row] = True
    return minor & ~bad & ~numbers.bad, ageless, bad & ~numbers.bad


def _find_floating(category: pd.Series) -> pd.Series:
    """Yes or no by the words of a category; missing where they say neither."""
    settled = category.str.contains(_SETTLED, regex=True, case=False, na=False)
    floating = category.str.contains(_FLOATING, regex=True, case=False, na=False) & ~category.str.contains(
        "非流动", regex=False, na=False
    )
    flags: pd.Series = floating.astype("object").where(settled | floating, None)
    return flags


def _clean_keys(ids: pd.Series) -> pd.Series:
    """The source's own numbers, but for identity and telephone numbers that are used as such."""
    return ids.mask(ids.str.contains(f"{ID_NUMBER}|{MOBILE_NUMBER}", regex=True, na=False))


def _find_ids(store: Store, frame: pd.DataFrame, rules: PersonRules) -> pd.Series:
    """
    Stable ids: by the identity number where there is one, else by home and name, both hashed with the store's secret.

    Whoever is there already by home and name keeps that id when a later file brings the identity number.
    """

    def hash_id(*parts: str) -> str:
        return "o-" + hmac.new(rules.occupant_key, "\x1f".join(parts).encode(), "sha256").hexdigest()[:32]

    there = store.read("SELECT occupant_id, identity_hash FROM occupants")
    by_hash = dict(zip(there["identity_hash"], there["occupant_id"], strict=True))
    unnumbered = set(there["occupant_id"][there["identity_hash"].isna()])
    ids = []
    for unit_id, name, hashed in zip(frame["unit_id"], frame["name"], frame["identity_hash"], strict=True):
        plain = "" if pd.isna(name) else re.sub(r"\s", "", unicodedata.normalize("NFKC", name))
        by_name = hash_id("name", unit_id, plain)
        if pd.isna(hashed):
            ids.append(by_name)
        elif hashed in by_hash:
            ids.append(by_hash[hashed])
        else:
            ids.append(by_name if plain and by_name in unnumbered else hash_id("identity", hashed))
    return pd.Series(ids, index=frame.index, dtype="str")
