"""Passwords and second factors of people in a Cognito user pool.

Only the pool's administrative calls are used, by a client that allows nothing
else, so nobody signs in to the pool past the platform. The pool's own tokens
are thrown away: sessions are the platform's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from huitong.aws.errors import translate
from huitong.errors import BadRequest, Fault, NotAuthenticated
from huitong.identity.provider import Challenge

_WRONG: Final = frozenset(
    {
        "CodeMismatchException", "EnableSoftwareTokenMFAException", "ExpiredCodeException",
        "NotAuthorizedException", "PasswordResetRequiredException",
        "SoftwareTokenMFANotFoundException", "UserNotConfirmedException", "UserNotFoundException",
    }
)  # fmt: skip
_POLICY: Final = frozenset(
    {"InvalidPasswordException", "InvalidParameterException", "PasswordHistoryPolicyViolationException"}
)
_BY_ACCESS: Final = "access:"


class CognitoIdentity:
    """:class:`huitong.identity.provider.IdentityProvider` over a user pool."""

    def __init__(self, client: Any, pool: str, client_id: str) -> None:
        self._client = client
        self._pool = pool
        self._client_id = client_id

    def put_user(self, login: str, temporary: str) -> None:
        with self._translated():
            try:
                self._client.admin_delete_user(UserPoolId=self._pool, Username=login)
            except ClientError as error:
                if _code(error) != "UserNotFoundException":
                    raise
            self._client.admin_create_user(
                UserPoolId=self._pool,
                Username=login,
                TemporaryPassword=temporary,
                MessageAction="SUPPRESS",
            )

    def set_enabled(self, login: str, enabled: bool) -> None:
        change = self._client.admin_enable_user if enabled else self._client.admin_disable_user
        with self._translated():
            try:
                change(UserPoolId=self._pool, Username=login)
            except ClientError as error:
                if _code(error) != "UserNotFoundException":
                    raise

    def begin(self, login: str, password: str) -> Challenge:
        with self._translated():
            answer = self._client.admin_initiate_auth(
                UserPoolId=self._pool,
                ClientId=self._client_id,
                AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": login, "PASSWORD": password},
            )
            return self._next(answer)

    def answer(self, login: str, challenge: Challenge, reply: str) -> Challenge | None:
        if challenge.kind == "new_password":
            with self._translated(password=True):
                following = self._respond(login, "NEW_PASSWORD_REQUIRED", challenge.state, NEW_PASSWORD=reply)
            with self._translated():
                return self._next(following)
        with self._translated():
            if challenge.kind == "setup":
                self._enrol(login, challenge.state, reply)
                return None
            made = self._respond(login, "SOFTWARE_TOKEN_MFA", challenge.state, SOFTWARE_TOKEN_MFA_CODE=reply)
        if "AuthenticationResult" not in made:
            raise _refused()
        return None

    def set_password(self, login: str, password: str) -> None:
        with self._translated(password=True):
            self._client.admin_set_user_password(
                UserPoolId=self._pool, Username=login, Password=password, Permanent=True
            )

    def _next(self, answer: Mapping[str, Any]) -> Challenge:
        """A right password alone never counts: where the pool asks for no code, one is enrolled now."""
        name = answer.get("ChallengeName", "")
        if name == "NEW_PASSWORD_REQUIRED":
            return Challenge("new_password", answer["Session"])
        if name == "SOFTWARE_TOKEN_MFA":
            return Challenge("code", answer["Session"])
        if name == "MFA_SETUP":
            made = self._client.associate_software_token(Session=answer["Session"])
            return Challenge("setup", made["Session"], made["SecretCode"])
        if "AuthenticationResult" in answer:
            access = answer["AuthenticationResult"]["AccessToken"]
            made = self._client.associate_software_token(AccessToken=access)
            return Challenge("setup", _BY_ACCESS + access, made["SecretCode"])
        raise Fault("用户池要求不支持的验证方式", f"The user pool asks for an unsupported challenge: {name}")

    def _enrol(self, login: str, state: str, code: str) -> None:
        if state.startswith(_BY_ACCESS):
            given = {"AccessToken": state.removeprefix(_BY_ACCESS)}
        else:
            given = {"Session": state}
        made = self._client.verify_software_token(**given, UserCode=code)
        if made.get("Status") != "SUCCESS":
            raise _refused()
        if "Session" in given:
            self._respond(login, "MFA_SETUP", made["Session"])
        self._client.admin_set_user_mfa_preference(
            UserPoolId=self._pool,
            Username=login,
            SoftwareTokenMfaSettings={"Enabled": True, "PreferredMfa": True},
        )

    def _respond(self, login: str, name: str, session: str, **responses: str) -> Mapping[str, Any]:
        made: Mapping[str, Any] = self._client.admin_respond_to_auth_challenge(
            UserPoolId=self._pool,
            ClientId=self._client_id,
            ChallengeName=name,
            Session=session,
            ChallengeResponses={"USERNAME": login, **responses},
        )
        return made

    @contextmanager
    def _translated(self, *, password: bool = False) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            code = _code(error)
            if password and code in _POLICY:
                raise BadRequest("密码不符合复杂度要求", "The password does not meet the policy") from error
            if code in _WRONG or code == "InvalidParameterException":
                raise _refused() from error
            raise translate(error, what="user pool") from error
        except BotoCoreError as error:
            raise translate(error, what="user pool") from error


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused() -> NotAuthenticated:
    return NotAuthenticated("登录信息有误", "Login, password or code is wrong")
