"""The light HTTP app: registers, deliveries, batches, subscriptions, accounts.

Lambda handler ``app.app``. Imports nothing heavy; queries and data are in functions/query_data.
"""

from __future__ import annotations

from api_routes import (
    accounts,
    applications,
    batches,
    calendar,
    cases,
    catalog,
    catalog_editions,
    contracts,
    corrections,
    deliveries,
    grants,
    health,
    identity,
    mending,
    notices,
    open_access,
    operating,
    people,
    profiles,
    quality_issues,
    requests,
    rules,
    standing,
    subscriptions,
    supervision,
    suspensions,
    units,
)

from huitong.web.services import ApiServices
from huitong.web.serving import ServiceApp

BLUEPRINTS = (
    suspensions,
    supervision,
    quality_issues,
    standing,
    health,
    identity,
    people,
    contracts,
    deliveries,
    profiles,
    batches,
    units,
    grants,
    subscriptions,
    accounts,
    applications,
    calendar,
    catalog,
    catalog_editions,
    cases,
    requests,
    corrections,
    notices,
    open_access,
    operating,
    rules,
    mending,
)


def _build() -> ApiServices:
    from huitong.wiring import build_api

    return build_api()


app: ServiceApp[ApiServices] = ServiceApp("api", _build)
for blueprint in BLUEPRINTS:
    app.register_blueprint(blueprint.routes)
