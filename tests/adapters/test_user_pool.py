"""Sign-in through a Cognito user pool, as far as moto plays one (S-01, S-03)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import boto3
import pytest
from moto import mock_aws

from huitong.aws.cognito import CognitoIdentity
from huitong.errors import BadRequest, NotAuthenticated
from huitong.identity import totp

TEMPORARY, CHOSEN = "Temporary-123456", "Chosen-by-me-789"


@pytest.fixture
def cognito() -> Iterator[Any]:
    with mock_aws():
        yield boto3.client("cognito-idp", region_name="us-east-1")


@pytest.fixture
def provider(cognito: Any) -> CognitoIdentity:
    policy = {"MinimumLength": 12, "RequireSymbols": True, "RequireNumbers": True}
    pool = cognito.create_user_pool(
        PoolName="people", MfaConfiguration="OFF", Policies={"PasswordPolicy": policy}
    )["UserPool"]["Id"]
    cognito.set_user_pool_mfa_config(
        UserPoolId=pool, SoftwareTokenMfaConfiguration={"Enabled": True}, MfaConfiguration="ON"
    )
    client = cognito.create_user_pool_client(
        UserPoolId=pool, ClientName="api", ExplicitAuthFlows=["ALLOW_ADMIN_USER_PASSWORD_AUTH"]
    )
    made = CognitoIdentity(cognito, pool, client["UserPoolClient"]["ClientId"])
    made.put_user("wang.li", TEMPORARY)
    return made


def now_code(secret: str) -> str:
    return totp.code(secret, datetime.now(UTC))


def test_a_new_user_chooses_a_password_and_enrols_a_second_factor_before_being_proven(
    provider: CognitoIdentity,
) -> None:
    first = provider.begin("wang.li", TEMPORARY)
    assert first.kind == "new_password"
    second = provider.answer("wang.li", first, CHOSEN)
    assert second is not None
    assert (second.kind, bool(second.secret)) == ("setup", True)
    assert provider.answer("wang.li", second, now_code(second.secret)) is None
    again = provider.begin("wang.li", CHOSEN)
    assert again.kind == "code"
    assert provider.answer("wang.li", again, now_code(second.secret)) is None


def test_a_right_password_never_proves_by_itself(provider: CognitoIdentity) -> None:
    """S-03: also where the pool would give its tokens for the password alone."""
    provider.set_password("wang.li", CHOSEN)
    assert provider.begin("wang.li", CHOSEN).kind == "setup"


@pytest.mark.parametrize(("login", "password"), [("wang.li", "wrong"), ("nobody", TEMPORARY)])
def test_a_wrong_password_and_an_unknown_login_are_told_alike(
    provider: CognitoIdentity, login: str, password: str
) -> None:
    with pytest.raises(NotAuthenticated) as refused:
        provider.begin(login, password)
    assert login not in str(refused.value)


def test_a_password_against_the_policy_is_refused(provider: CognitoIdentity) -> None:
    """S-01: complexity is the pool's."""
    first = provider.begin("wang.li", TEMPORARY)
    with pytest.raises(BadRequest):
        provider.answer("wang.li", first, "short")


def test_a_disabled_user_does_not_sign_in_and_unknown_ones_are_no_error(provider: CognitoIdentity) -> None:
    provider.set_enabled("wang.li", False)
    with pytest.raises(NotAuthenticated):
        provider.begin("wang.li", TEMPORARY)
    provider.set_enabled("nobody", False)


def test_a_reset_takes_the_password_and_the_second_factor_away(provider: CognitoIdentity) -> None:
    provider.set_password("wang.li", CHOSEN)
    provider.put_user("wang.li", "Temporary-again-1")
    with pytest.raises(NotAuthenticated):
        provider.begin("wang.li", CHOSEN)
    assert provider.begin("wang.li", "Temporary-again-1").kind == "new_password"
