"""Operations of quality rules: contracts' and the office's, trials, runs, warnings (C-04, C-06, C-30)."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import FROM, LIMIT, OF_RESOURCE, OF_UNIT, TO, Operation, o
from huitong.web.schemas import ID, one_of, text

_BATCH: Final = text("only of this batch", most=128, pattern=ID)

RULES: Final[tuple[Operation, ...]] = (
    o("list_rules", "GET /v1/rules", "质量规则清单", "Rules of contracts and of the office, in one list",
      "QualityRules", "rule.read",
      query={"resource": OF_RESOURCE, "origin": one_of("contract", "office"),
             "state": one_of("draft", "enabled", "disabled")}),
    o("create_rule", "POST /v1/rules", "新建质量规则", "Create a rule, as a draft", "QualityRule", "rule.put",
      body="NewRuleBody", status=201),
    o("get_rule", "GET /v1/rules/{id}", "质量规则", "One rule of the office", "QualityRule", "rule.read"),
    o("list_rule_versions", "GET /v1/rules/{id}/versions", "质量规则的各版本", "Every version of a rule",
      "QualityRules", "rule.read"),
    o("put_rule", "PUT /v1/rules/{id}", "修改质量规则", "The next version of a rule", "QualityRule",
      "rule.put", body="RuleBody"),
    o("enable_rule", "POST /v1/rules/{id}/enable", "启用质量规则", "Enable a rule", "QualityRule",
      "rule.put", body="RuleStepBody"),
    o("disable_rule", "POST /v1/rules/{id}/disable", "停用质量规则", "Disable a rule", "QualityRule",
      "rule.put", body="RuleStepBody"),
    o("try_rule", "POST /v1/rule-trials", "试运行质量规则", "What a rule would have done; writes nothing",
      "RuleTrial", "rule.put", body="RuleTrialBody", app="query_data", most_body=2_000_000),
    o("list_rule_runs", "GET /v1/rule-runs", "质量规则运行记录", "How the rules went on deliveries",
      "RuleRuns", "rule.read", query={"resource": OF_RESOURCE, "batch": _BATCH, "limit": LIMIT}),
    o("get_rule_summary", "GET /v1/rule-summary", "质量规则运行汇总",
      "By rule: runs, failures, breaches, violations, durations, of a period or the newest deliveries",
      "RuleSummary", "rule.read",
      query={"resource": OF_RESOURCE, "rule": text("only this rule", most=64, pattern=ID), "from": FROM,
             "to": TO, "limit": LIMIT}),
    o("list_rule_warnings", "GET /v1/rule-warnings", "预警清单", "Warnings that breaches of rules raised",
      "RuleWarnings", "warning.read",
      query={"unit": OF_UNIT, "state": one_of("open", "taken", "closed"), "limit": LIMIT}),
    o("handle_rule_warning", "POST /v1/rule-warnings/{id}/steps", "处理预警", "Take up or close a warning",
      "RuleWarning", "warning.handle", body="RuleWarningStepBody"),
)  # fmt: skip
