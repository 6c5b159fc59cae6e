"""Queries by SQL: one SELECT, and the pages of its result (C-11)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "run_query")
def run_query(ask: Ask[QueryServices]) -> Any:
    raise NotImplementedError


@serve(routes, "get_query")
def get_query(ask: Ask[QueryServices], id: str) -> Any:
    raise NotImplementedError
