"""Athena's API over the platform's own query service, for analysts on this machine.

PyAthena, awswrangler and the AWS CLI speak to it as they speak to Athena. What
they may see is decided by the platform alone: every SELECT goes through
``POST /v1/queries`` as the analyst, with grants, masks, grounds and evidence.
See docs/analysts.md.
"""
