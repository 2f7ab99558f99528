"""Key sites (重点单位) in real buildings and shops, and signs above the shops."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from sample.dwellings import Registers, Row
from sample.place import AS_OF, SHANGHAI, made_up_phone

# In buildings of their own: name of the building → kind.
_HOUSES = {
    "新村宾馆": "hotel", "万户小学教学楼": "school", "万户幼儿园": "kindergarten", "万户社区卫生服务站": "clinic",
    "万户菜市场": "market", "滨河仓库": "warehouse", "滨河仓库二号库": "warehouse", "万户新村警务室": "police_office",
    "万户新村党群服务中心": "office",
}  # fmt: skip

# In shops: kind, how many, names in order.
_SHOPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("internet_cafe", ("极速网吧", "新村网咖", "蓝星网吧")),
    ("ktv", ("金曲量贩歌厅",)),
    ("bathhouse", ("清泉浴室", "万户浴室")),
    ("hotel", ("和顺旅社", "长庆客栈")),
    ("pharmacy", ("万户大药房", "和顺药店", "新村药房", "康宁药店")),
    ("supermarket", ("万户超市", "新村生活超市", "好邻居便利店", "二十四小时便利店", "和顺便利店")),
    ("restaurant", ("河畔酒家", "老街面馆", "新村饭店", "小院烧烤", "东苑火锅", "万户小吃", "和顺早餐", "江淮土菜馆")),
    ("express", ("快递驿站一店", "快递驿站二店", "快递驿站三店", "快递驿站四店")),
    ("gas_shop", ("液化气供应点",)),
    ("recycling", ("废旧物资回收站", "再生资源回收点")),
    ("bank", ("便民银行网点", "社区储蓄所")),
    ("gold_shop", ("新村金店", "万户珠宝店")),
    ("clinic", ("口腔诊所", "中医诊所")),
    ("elderly_care", ("居家养老服务站",)),
    ("charging_shed", ("集中充电站",)),
    ("other", ("五金建材店", "烟花爆竹临时存放点", "棋牌室", "电动车行", "手机维修店", "福利彩票点")),
)
_SIGNS = ("理发店", "水果店", "服装店", "鞋店", "文具店", "干洗店", "粮油店", "卤菜店", "包子铺", "裁缝铺", "花店")


def build_key_sites(registers: Registers, rng: np.random.Generator) -> list[Row]:
    """About sixty sites; shops that are none get a plain sign."""
    buildings = {row["name"]: row for row in registers.buildings}
    texts = {row["address_id"]: row["full_text"] for row in registers.addresses}
    rows: list[Row] = []
    for name, kind in _HOUSES.items():
        building = buildings[name]
        rows.append(_site(rows, name, kind, building, None, texts[building["address_id"]], rng))
    by_id = {row["building_id"]: row for row in registers.buildings}
    sheds = [row for row in registers.buildings if row["use"] == "shed"]
    for shed in sheds[:4]:
        rows.append(_site(rows, f"{shed['name']}充电点", "charging_shed", shed, None, texts[shed["address_id"]], rng))
    shops = [u for u in registers.units if u["use"] == "shop" and by_id[u["building_id"]]["use"] != "market"]
    free = [shops[int(i)] for i in rng.permutation(len(shops))]
    for kind, names in _SHOPS:
        for name in names:
            shop = free.pop()
            shop["name"] = name
            rows.append(_site(rows, name, kind, by_id[shop["building_id"]], shop, texts[shop["address_id"]], rng))
    for shop in free:
        shop["name"] = str(rng.choice(_SIGNS))
    return rows


def _site(
    rows: list[Row], name: str, kind: str, building: Row, unit: Row | None, text: str, rng: np.random.Generator
) -> Row:
    number = len(rows) + 1
    today = AS_OF.astimezone(SHANGHAI).date()
    shape = building["geom"] if unit is None else unit["geom"]
    return {
        "site_id": f"K{number:03d}", "name": name, "kind": kind, "building_id": building["building_id"], "level": 1,
        "address_text": text, "last_visit_on": today - timedelta(days=int(rng.integers(1, 120))),
        "contact_name": f"测试负责人{number:03d}", "contact_phone": made_up_phone(500 + number),
        "geom": shape.representative_point(),
    }  # fmt: skip
