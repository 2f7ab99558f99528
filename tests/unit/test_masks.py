"""Masks of names, telephone numbers and free text."""

from __future__ import annotations

import pytest

from data.masking import mask_name, mask_phone, mask_text


@pytest.mark.parametrize(
    ("name", "masked"), [("张三", "张**"), ("欧阳小明", "欧**"), ("王", "王**"), (" 李四", "李**"), ("", "")]
)
def test_names(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("13812341234", "138****1234"),
        ("138 1234 1234", "138****1234"),
        ("0515-88881234", "051****1234"),
        ("88881234", "888****1234"),
        ("1234567", "***"),
        ("110", "***"),
        ("", "***"),
        ("没有", "***"),
    ],
)
def test_phones(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("报警人13812341234称被骗", "报警人***称被骗"),
        ("电话：138-1234-1234。", "电话：***。"),
        ("１３８１２３４１２３４找我", "***找我"),
        ("+8613812341234", "***"),
        ("座机0515-88881234转8", "座机***转8"),
        ("(0515)88881234", "***"),
        ("021 5888 1234", "***"),
        ("座机88881234", "座机***"),
        ("身份证32090219900101123X", "身份证***"),
        ("身份证３２０９０２１９９００１０１１２３Ｘ有效", "身份证***有效"),
        ("320902199001011234和13912345678", "***和***"),
        ("320902 19900101 1234", "***"),
        ("西区12幢3单元402室", "西区12幢3单元402室"),
        ("2026年11月23日14:30被盗3200元", "2026年11月23日14:30被盗3200元"),
        ("2026-11-23", "2026-11-23"),
        ("损失15000元", "损失15000元"),
        ("打13812341234110101199003071234", "打***"),
    ],
)
def test_free_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked
