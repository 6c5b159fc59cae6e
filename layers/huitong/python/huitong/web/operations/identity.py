"""Operations of identity: sign-in, sessions, accounts, posts, duties."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_UNIT, Operation, o
from huitong.web.schemas import ID, text

_HOLDER: Final = text("account or credential; own when left out", most=64, pattern=ID)

IDENTITY: Final[tuple[Operation, ...]] = (
    # sign-in and sessions
    o("sign_in", "POST /v1/sign-in", "登录:账号与密码", "Sign in: login and password", "SignInStep",
       body="SignInBody", public=True, per_minute=20, most_body=4_096),
    o("answer_sign_in", "POST /v1/sign-in/answer", "登录:验证码或新密码", "Sign in: code or new password",
       "SignInStep", body="SignInAnswerBody", public=True, per_minute=20, most_body=4_096),
    o("get_token", "POST /v1/token", "以凭证换取短期令牌", "A short-lived token for a system", "Token",
       body="TokenBody", public=True, per_minute=60, most_body=4_096),
    o("sign_out", "POST /v1/sign-out", "退出", "End the session in use", "Session", "session.own"),
    o("list_sessions", "GET /v1/sessions", "会话列表", "Open sessions", "Sessions", "session.own",
       query={"holder": _HOLDER}),
    o("end_session", "DELETE /v1/sessions/{id}", "结束会话", "End a session at once", "Session",
       "session.own"),
    # accounts
    o("create_account", "POST /v1/accounts", "开设账户", "Make an account of a person", "CreatedAccount",
       "account.put", body="AccountBody", status=201),
    o("list_accounts", "GET /v1/accounts", "账户列表与最近使用", "All accounts with their last use",
       "Accounts", "account.read", query={"unit": OF_UNIT}),
    o("get_account", "GET /v1/accounts/{id}", "一个账户", "One account", "Account", "account.read"),
    o("put_roles", "PUT /v1/accounts/{id}/roles", "授予、变更、收回角色", "Give, change and withdraw roles",
       "Account", "account.put", body="RolesBody"),
    o("disable_account", "POST /v1/accounts/{id}/disable", "停用账户", "Disable an account at once",
       "Account", "account.put", body="ReasonBody"),
    o("enable_account", "POST /v1/accounts/{id}/enable", "启用账户", "Enable an account", "Account",
       "account.put"),
    o("unlock_account", "POST /v1/accounts/{id}/unlock", "解锁账户", "Unlock an account", "Account",
       "account.put"),
    o("reset_account", "POST /v1/accounts/{id}/reset", "重置密码与验证器",
       "A new temporary password, and no second factor", "CreatedAccount", "account.put"),
    o("issue_signing_key", "POST /v1/credentials/{id}/key", "发放签名密钥", "A key for signed requests",
       "SigningKey", "credential.issue", status=201),
    # posts and duties
    o("list_posts", "GET /v1/units/{unit}/posts", "岗位列表", "Posts of a unit", "Posts", "post.read"),
    o("put_post", "PUT /v1/units/{unit}/posts/{code}", "登记岗位", "Register a post", "Post", "post.put",
       body="PostBody"),
    o("delete_post", "DELETE /v1/units/{unit}/posts/{code}", "撤销岗位", "Remove a post nobody holds",
       "Post", "post.put"),
    o("list_duties", "GET /v1/units/{unit}/duties", "法定职责列表", "Statutory duties of a unit", "Duties",
       "duty.read"),
    o("put_duty", "PUT /v1/units/{unit}/duties/{code}", "登记法定职责", "Register a statutory duty", "Duty",
       "duty.put", body="DutyBody"),
    o("delete_duty", "DELETE /v1/units/{unit}/duties/{code}", "撤销法定职责",
       "End a statutory duty at once", "Duty", "duty.put"),
)  # fmt: skip
