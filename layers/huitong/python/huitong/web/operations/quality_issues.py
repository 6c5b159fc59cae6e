"""Operations of the work on quality: issues, conflicts, scores, ranking, overdue, statistics, reports."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_RESOURCE, OF_UNIT, PAGED, Operation, o
from huitong.web.operations.standing import STATE
from huitong.web.schemas import ID, one_of, text

_MONTH: Final = text("a month, e.g. 2026-01; none = this one", most=7, pattern=r"^20\d\d-(0[1-9]|1[0-2])$")
_ISSUES: Final = {
    "unit": OF_UNIT,
    "state": STATE,
    "resource": OF_RESOURCE,
    "batch": text("only of this batch", most=128, pattern=ID),
    "officer": text("only of this officer; me = the asker's own", most=128),
    "late": one_of("yes"),
    **PAGED,
}

QUALITY_ISSUES: Final[tuple[Operation, ...]] = (
    o("list_quality_issues", "GET /v1/quality-issues", "质量问题列表", "Quality issues", "QualityIssues",
      "quality.read", query=_ISSUES),
    o("get_quality_issue", "GET /v1/quality-issues/{id}", "质量问题", "A quality issue", "Matter",
      "quality.read"),
    o("step_quality_issue", "POST /v1/quality-issues/{id}/steps", "办理质量问题",
      "Take a step with a quality issue", "Matter", "quality.step", body="MatterStepBody"),
    o("get_quality_policy", "GET /v1/quality-policy", "质量问题办理办法", "Time limits of quality issues",
      "QualityPolicy", "quality.read"),
    o("put_quality_policy", "PUT /v1/quality-policy", "设定质量问题办理办法",
      "Set the time limits of quality issues", "QualityPolicy", "quality.policy", body="QualityPolicyBody"),
    o("list_conflicts", "GET /v1/conflicts", "多元校核差异列表", "Conflicts between units", "Matters",
      "quality.read", query={"unit": OF_UNIT, "state": STATE, **PAGED}),
    o("get_conflict", "GET /v1/conflicts/{id}", "多元校核差异", "A conflict between units", "Matter",
      "quality.read"),
    o("list_conflict_records", "GET /v1/conflicts/{id}/records", "差异记录(掩码)",
      "The differing records, masked", "ConflictRecords", "quality.read", app="query_data"),
    o("step_conflict", "POST /v1/conflicts/{id}/steps", "办理多元校核差异", "Decide on a conflict", "Matter",
      "quality.step", body="MatterStepBody"),
    o("get_scores", "GET /v1/scores", "质量评分", "Scores of units and resources for a month", "Scores",
      "score.read", query={"month": _MONTH, "unit": OF_UNIT, "resource": OF_RESOURCE}),
    o("get_ranking", "GET /v1/ranking", "绩效排名", "Units ranked for a month", "Ranking", "ranking.read",
      query={"month": _MONTH}),
    o("list_overdue", "GET /v1/overdue", "电子监察清单", "What units are overdue with", "OverdueList",
      "score.read", query={"unit": OF_UNIT}),
    o("get_exchange_statistics", "GET /v1/exchange-statistics", "交换统计", "What units gave and obtained",
      "ExchangeStatistics", "score.read",
      query={"month": _MONTH, "unit": OF_UNIT, "resource": OF_RESOURCE}),
    o("list_score_alerts", "GET /v1/score-alerts", "评分预警", "Rules of alerts, and what they told of",
      "ScoreAlerts", "score.read", query={"month": _MONTH}),
    o("put_score_alert", "PUT /v1/score-alerts", "设定评分预警", "Keep a rule of alerts", "ScoreAlert",
      "quality.policy", body="ScoreAlertBody"),
    o("handle_score_alert", "POST /v1/score-alerts", "处置评分预警", "Note what was done about an alert",
      "ScoreAlert", "quality.policy", body="ScoreAlertActBody"),
    o("get_quality_report", "GET /v1/reports/quality/{unit}/{month}", "质量月报", "A unit's monthly report",
      "QualityReport", "score.read", query={"format": one_of("json", "xlsx", "pdf")}, app="query_data"),
)  # fmt: skip
