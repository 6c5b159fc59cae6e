"""The HTTP app for the routes that read data: queries, changes, snapshots, findings.

Lambda handler ``app.app``.
"""

from __future__ import annotations

from query_routes import (
    changes,
    corrections,
    evidence,
    findings,
    mending,
    open_access,
    profiling,
    quality_reports,
    queries,
    reports,
    rules,
    verifications,
)

from huitong.web.services import QueryServices
from huitong.web.serving import ServiceApp

BLUEPRINTS = (
    evidence,
    queries,
    changes,
    findings,
    corrections,
    verifications,
    open_access,
    reports,
    rules,
    mending,
    quality_reports,
    profiling,
)


def _build() -> QueryServices:
    from huitong.wiring import build_query_data

    return build_query_data()


app: ServiceApp[QueryServices] = ServiceApp("query_data", _build)
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint.routes)
