"""Masking of secrets in values of settings and in messages."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promptvision.cli.masking import masked, masked_url


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("key gsk_0123456789abcdef wrong", "key ****cdef wrong"),
        ("short abc", "short ****"),
        ("postgresql://me:secret@host/db", "postgresql://me:****@host/db"),
        ("http://host:80/path", "http://host:80/path"),
        ("postgresql://host/db?user=me&password=secret", "postgresql://host/db?user=me&password=****"),
        ("sqlite:///a.db?password=secret&mode=ro", "sqlite:///a.db?password=****&mode=ro"),
        (
            "postgresql://host/db?passwd=secret&sslmode=require",
            "postgresql://host/db?passwd=****&sslmode=require",
        ),
        ("postgresql://me:sec@ret/x@host/db failed", "postgresql://me:****@host/db failed"),
        ("s3://bucket?Access_Key=abc, and more", "s3://bucket?Access_Key=****, and more"),
    ],
)
def test_masked_text(text: str, shown: str) -> None:
    assert masked(text, ["abc", "gsk_0123456789abcdef"]) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("memory:", "memory:"),
        ("supabase", "supabase"),
        ("sqlite:///a/b.db", "sqlite:///a/b.db"),
        ("s3://bucket/x?endpoint=http://127.0.0.1:9", "s3://bucket/x?endpoint=http://127.0.0.1:9"),
        ("postgresql://me:a b@c/d@host/db", "postgresql://me:****@host/db"),
        ("postgresql:me:secret@host/db", "****"),
        ("host=h password=secret", "****"),
    ],
)
def test_masked_url(value: str, shown: str) -> None:
    assert masked_url(value) == shown


@given(st.text(min_size=1).map(lambda text: f"hunter2{text}"))
def test_no_password_of_a_url_is_shown(password: str) -> None:
    assert "hunter2" not in masked_url(f"postgresql://me:{password}@host/db")
    assert "hunter2" not in masked_url(f"postgresql://host/db?pass={password.replace('&', '')}")
