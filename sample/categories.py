"""Kinds of incident of the sample: the tree, what each kind brings with it, and when and where each kind happens."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sample.dwellings import Row


@dataclass(frozen=True)
class Group:
    """
    What stands over the leaves; `targets_min` are minutes from the report to sending, to being there and to its end.

    Targets are ours, after the response of one, three and five minutes that some cities promise: a place sets its own.
    """

    code: str
    parent: str | None
    name_zh: str
    name_en: str
    key: str
    symbol: str
    colour: str
    targets_min: tuple[float, float, float]


@dataclass(frozen=True)
class Kind:
    """
    A leaf of the tree. `rate` is relative; `places` are shares of homes, doors, shops, streets and squares.

    `hours` names a profile; `overnight` is the share whose time is known as an interval only.
    """

    code: str
    parent: str
    name_zh: str
    name_en: str
    rate: float
    hours: str
    places: tuple[float, float, float, float, float]
    urgency: str = "normal"
    overnight: float = 0.0
    sensitive: bool = False
    weekend: float = 1.0
    target_min: float | None = None


PLACE_CLASSES = ("home", "door", "shop", "street", "square")

ROOT = ("alarm", "报警", "Report to the police")
"""Above what is reported; 求助 and 投诉 stand beside it and are groups themselves."""

GROUPS = (
    Group("theft", "alarm", "盗窃", "Theft", "1", "盗", "#d9d36a", (3, 10, 240)),
    Group("fraud", "alarm", "诈骗", "Fraud", "2", "骗", "#b58cf0", (3, 15, 240)),
    Group("violence", "alarm", "侵害人身", "Violence", "3", "侵", "#e26fb5", (1, 3, 120)),
    Group("dispute", "alarm", "纠纷", "Dispute", "4", "纠", "#7fb4ff", (3, 10, 120)),
    Group("noise", "alarm", "噪声扰民", "Noise", "5", "噪", "#6fd3c7", (5, 15, 60)),
    Group("order", "alarm", "治安秩序", "Public order", "6", "序", "#c9a27e", (2, 5, 120)),
    Group("fire", "alarm", "火警", "Fire", "7", "火", "#ffa329", (1, 3, 120)),
    Group("traffic", "alarm", "交通", "Traffic", "8", "交", "#9db0c8", (2, 5, 60)),
    Group("help", None, "求助", "Request for help", "9", "助", "#7edc8f", (2, 10, 120)),
    Group("complaint", None, "投诉", "Complaint", "0", "诉", "#b9c0cc", (10, 30, 1440)),
)

KINDS = (
    Kind("theft.ebike", "theft", "盗窃电动自行车", "E-bike theft", 290, "night",
         (0, 0.78, 0.12, 0.10, 0), overnight=0.65),
    Kind("theft.battery", "theft", "盗窃电瓶", "Battery theft", 190, "night", (0, 0.88, 0.04, 0.08, 0), overnight=0.75),
    Kind("theft.home", "theft", "入室盗窃", "Burglary", 60, "day", (1, 0, 0, 0, 0), overnight=0.7),
    Kind("theft.shop", "theft", "商铺失窃", "Theft from a shop", 110, "shop", (0, 0, 1, 0, 0), overnight=0.25),
    Kind("theft.other", "theft", "其他盗窃", "Other theft", 90, "shop", (0.2, 0.2, 0.3, 0.2, 0.1), overnight=0.2),
    Kind("fraud.phone", "fraud", "电话诈骗", "Telephone fraud", 210, "office", (0.95, 0, 0.05, 0, 0)),
    Kind("fraud.online", "fraud", "网络诈骗", "Online fraud", 170, "evening", (0.97, 0, 0.03, 0, 0)),
    Kind("fraud.health", "fraud", "保健品诈骗", "Health product fraud", 40, "office", (0.6, 0, 0.3, 0, 0.1)),
    Kind("violence.fight", "violence", "打架斗殴", "Fight", 120, "late", (0.1, 0.1, 0.45, 0.25, 0.1),
         "urgent", weekend=1.6),
    Kind("domestic_violence", "violence", "家庭暴力", "Domestic violence", 140, "evening", (1, 0, 0, 0, 0), "urgent",
         sensitive=True, weekend=1.3),
    Kind("harassment", "violence", "骚扰", "Harassment", 40, "late", (0.3, 0.2, 0.2, 0.2, 0.1), sensitive=True),
    Kind("dispute.neighbour", "dispute", "邻里纠纷", "Neighbour dispute", 330, "evening", (0.85, 0.15, 0, 0, 0)),
    Kind("dispute.parking", "dispute", "停车纠纷", "Parking dispute", 220, "commute", (0, 0.55, 0.05, 0.4, 0)),
    Kind("dispute.rent", "dispute", "租赁纠纷", "Tenancy dispute", 120, "office", (0.95, 0, 0.05, 0, 0)),
    Kind("dispute.consumer", "dispute", "消费纠纷", "Consumer dispute", 150, "shop", (0, 0, 1, 0, 0), weekend=1.3),
    Kind("noise.night", "noise", "夜间噪声", "Noise at night", 330, "late", (0.72, 0.08, 0.15, 0.05, 0), weekend=1.4),
    Kind("noise.square", "noise", "广场舞噪声", "Square dancing noise", 100, "dusk", (0, 0.1, 0, 0.1, 0.8)),
    Kind("noise.works", "noise", "装修噪声", "Building works noise", 70, "office", (1, 0, 0, 0, 0), weekend=0.8),
    Kind("order.drunk", "order", "醉酒滋事", "Drunkenness", 70, "late", (0.05, 0.1, 0.45, 0.3, 0.1),
         "urgent", weekend=1.6),
    Kind("order.gambling", "order", "赌博", "Gambling", 50, "evening", (0.5, 0, 0.5, 0, 0), weekend=1.3),
    Kind("order.dog", "order", "犬类扰民", "Dogs", 70, "dusk", (0.2, 0.4, 0, 0.2, 0.2)),
    Kind("fire.smoke", "fire", "冒烟起火", "Smoke or fire", 60, "cooking", (0.75, 0.05, 0.15, 0.05, 0), "urgent"),
    Kind("fire.ebike", "fire", "电动车起火", "E-bike fire", 25, "night", (0.1, 0.8, 0.05, 0.05, 0), "urgent"),
    Kind("traffic.crash", "traffic", "轻微事故", "Minor crash", 190, "commute", (0, 0, 0, 1, 0), weekend=0.8),
    Kind("traffic.blocked", "traffic", "占道堵路", "Blocked way", 140, "commute", (0, 0.2, 0.05, 0.75, 0)),
    Kind("lost_person", "help", "人员走失", "Lost person", 60, "day", (0.7, 0, 0.05, 0.1, 0.15),
         "urgent", target_min=5),
    Kind("self_harm", "help", "轻生求助", "Person at risk", 12, "late", (0.9, 0.05, 0, 0.05, 0),
         "urgent", sensitive=True, target_min=3),
    Kind("help.locked_out", "help", "开锁求助", "Locked out", 140, "evening", (1, 0, 0, 0, 0), "not_police"),
    Kind("help.elderly", "help", "老人求助", "Elderly person in need", 90, "day", (0.95, 0, 0, 0.05, 0)),
    Kind("help.other", "help", "其他求助", "Other request", 160, "day", (0.5, 0.1, 0.15, 0.15, 0.1), "not_police"),
    Kind("complaint.other", "complaint", "其他投诉", "Other complaint", 60, "office", (0.6, 0, 0.2, 0.1, 0.1),
         "not_police"),
)  # fmt: skip

# Kinds of which the two years hold none: they are there to be taken in, and for the rules of who may be sent.
RARE_KINDS = (
    Kind("violence.weapon", "violence", "持械伤人", "Attack with a weapon", 0, "late", (0.2, 0.1, 0.3, 0.3, 0.1),
         "urgent"),
)  # fmt: skip

# Relative weight of each hour from 0 to 23, Asia/Shanghai.
HOURS: dict[str, tuple[float, ...]] = {
    "night": (4, 5, 6, 6, 4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 4, 5, 6, 6, 6, 5),
    "late": (6, 4, 2, 1, 0.5, 0.3, 0.4, 0.8, 1, 1, 1, 1.5, 2, 1.5, 1, 1, 1, 2, 3, 4, 6, 8, 9, 9),
    "evening": (2, 1, 0.6, 0.4, 0.3, 0.4, 1, 2, 2.5, 3, 3, 3, 3.5, 3, 2.5, 2.5, 3, 4, 5.5, 7, 8, 7, 5, 3),
    "dusk": (0.3, 0.1, 0.1, 0.1, 0.2, 1, 3, 3, 2, 1.5, 1, 1, 1, 1, 1, 1.5, 2, 3, 6, 9, 9, 5, 1.5, 0.5),
    "day": (0.6, 0.4, 0.3, 0.3, 0.4, 1, 2, 4, 5, 6, 6, 5, 4, 5, 6, 6, 5, 5, 4, 4, 3, 2, 1.5, 1),
    "office": (0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.6, 2, 6, 9, 9, 7, 3, 5, 8, 8, 7, 5, 3, 2.5, 2, 1.5, 0.8, 0.4),
    "shop": (0.6, 0.4, 0.2, 0.2, 0.2, 0.3, 0.8, 2, 3, 5, 6, 6, 5, 4, 5, 5, 6, 7, 7, 6, 5, 3, 2, 1),
    "commute": (0.5, 0.3, 0.2, 0.2, 0.3, 0.7, 2, 7, 8, 5, 4, 4, 4, 3.5, 3.5, 4, 6, 9, 8, 6, 5, 3, 2, 1),
    "cooking": (1, 0.6, 0.5, 0.4, 0.4, 0.8, 2, 3, 3, 3, 5, 7, 5, 2, 2, 3, 5, 8, 7, 4, 3, 2.5, 2, 1.5),
}


def category_rows() -> list[Row]:
    """Rows of incident_categories: the root, the groups, and the kinds with their keys 1, 2, 3 … in each group."""
    code, zh, en = ROOT
    rows: list[Row] = [{"category": code, "parent": None, "name_zh": zh, "name_en": en, "sensitive": False}]
    for group in GROUPS:
        dispatch, scene, close = group.targets_min
        rows.append(
            {
                "category": group.code, "parent": group.parent, "name_zh": group.name_zh, "name_en": group.name_en,
                "sensitive": False, "urgency": "normal", "colour": group.colour, "symbol": group.symbol,
                "key": group.key, "target_dispatch_minutes": dispatch, "target_minutes": scene,
                "target_close_minutes": close,
            }
        )  # fmt: skip
    numbers = dict.fromkeys((group.code for group in GROUPS), 0)
    for kind in (*KINDS, *RARE_KINDS):
        numbers[kind.parent] += 1
        rows.append(
            {
                "category": kind.code, "parent": kind.parent, "name_zh": kind.name_zh, "name_en": kind.name_en,
                "sensitive": kind.sensitive, "urgency": kind.urgency, "key": str(numbers[kind.parent]),
                "target_minutes": kind.target_min,
            }
        )  # fmt: skip
    return rows


def hour_shares(kind: Kind) -> np.ndarray:
    """Share of each hour, shape (24,)."""
    weights = np.array(HOURS[kind.hours], dtype=float)
    shares: np.ndarray = weights / weights.sum()
    return shares


def kinds_of(*groups: str) -> tuple[int, ...]:
    """Indexes of the kinds of these groups."""
    return tuple(i for i, kind in enumerate(KINDS) if kind.parent in groups)
