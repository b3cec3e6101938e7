"""A packed model on SageMaker: model, endpoint configuration, endpoint, and how its instances grow and shrink.

A :class:`Plan` is the list of calls that will be made; a dry run prints it, and nothing else knows how to make them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import BadInput
from .endpoints import MODES, client

VARIANT = "all"
"""Name of the one production variant."""
INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
BACKLOG = "ApproximateBacklogSizePerInstance"
WAITING = "HasBacklogWithoutCapacity"
_NAME = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,49}")
_S3 = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>.+)")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/.+")
_GONE = re.compile(r"could not find|not found|no scal\w+ \w+ found|does not exist", re.IGNORECASE)
"""How services say that what is to be deleted is not there; their codes say it for other things too."""

Say = Callable[[str], object]


@dataclass(frozen=True)
class Deployment:
    """What is to run, and how.

    ``archive`` is ``s3://BUCKET/KEY`` of a packed model, ``image`` the container, ``role`` the ARN that it runs under.
    ``least`` and ``most`` instances run; an asynchronous endpoint may shrink to none.  ``target`` is how many requests
    a minute one instance gets, of an asynchronous one how many wait for it.  ``outputs`` is the ``s3://BUCKET/PREFIX``
    of an asynchronous one's answers.
    """

    name: str
    region: str
    archive: str = ""
    image: str = ""
    role: str = ""
    instance: str = "ml.g4dn.xlarge"
    mode: str = MODES[0]
    outputs: str = ""
    least: int = 1
    most: int = 1
    target: float = 5.0

    def check(self) -> None:
        """Raises :class:`BadInput` with the first thing that is wrong."""
        if not _NAME.fullmatch(self.name):
            raise BadInput("An endpoint is called by at most 50 letters, digits and single dashes.")
        if not _S3.fullmatch(self.archive) or not self.archive.endswith(".tar.gz"):
            raise BadInput("The packed model lies at s3://BUCKET/.../model.tar.gz.")
        if not self.image or not _ROLE.fullmatch(self.role):
            raise BadInput("Say the container's image, and the role it runs under: arn:aws:iam::ACCOUNT:role/NAME.")
        if self.mode not in MODES or (self.mode == "async") != bool(self.outputs):
            raise BadInput("An asynchronous endpoint, and no other, has a place for answers: s3://BUCKET/PREFIX.")
        if self.outputs and not _S3.fullmatch(f"{self.outputs}/x"):
            raise BadInput("Answers lie at s3://BUCKET/PREFIX.")
        lowest = 0 if self.mode == "async" else 1
        if not lowest <= self.least <= max(self.most, 1) <= 100 or self.target <= 0:
            raise BadInput(f"{lowest} to 100 instances run, the least no more than the most; the target is above 0.")

    @property
    def scales(self) -> bool:
        return self.most > self.least

    @property
    def resource(self) -> dict[str, str]:
        """What grows and shrinks, in the words of Application Auto Scaling."""
        return {
            "ServiceNamespace": "sagemaker",
            "ResourceId": f"endpoint/{self.name}/variant/{VARIANT}",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
        }


@dataclass(frozen=True)
class Step:
    """A call: ``service.method(**given)``, and the one that takes it back."""

    service: str
    method: str
    given: dict[str, Any]
    undo: tuple[str, dict[str, Any]] | None = None


class Plan:
    """All calls in their order."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment

    def steps(self) -> list[Step]:
        """Up to the endpoint."""
        wanted = self.deployment
        wanted.check()
        return [*self._endpoint()]

    def scaling(self) -> list[Step]:
        """What is asked for once the endpoint runs; empty where the number of instances is fixed."""
        return [*self._scaling()] if self.deployment.scales else []

    def tear_down(self) -> list[Step]:
        """Everything, the last made first."""
        every = [*self._endpoint(), *self._scaling()]
        return [Step(step.service, *step.undo) for step in reversed(every) if step.undo]

    def _endpoint(self) -> Iterator[Step]:
        wanted, name = self.deployment, self.deployment.name
        yield Step(
            "sagemaker",
            "create_model",
            {
                "ModelName": name,
                "ExecutionRoleArn": wanted.role,
                "PrimaryContainer": {"Image": wanted.image, "ModelDataUrl": wanted.archive},
            },
            ("delete_model", {"ModelName": name}),
        )
        variant = {
            "VariantName": VARIANT,
            "ModelName": name,
            "InstanceType": wanted.instance,
            "InitialInstanceCount": max(wanted.least, 1),
        }
        answers = {
            "AsyncInferenceConfig": {
                "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 1},
                "OutputConfig": {
                    "S3OutputPath": f"{wanted.outputs.rstrip('/')}/answers",
                    "S3FailurePath": f"{wanted.outputs.rstrip('/')}/failures",
                },
            }
        }
        yield Step(
            "sagemaker",
            "create_endpoint_config",
            {
                "EndpointConfigName": name,
                "ProductionVariants": [variant],
                **(answers if wanted.mode == "async" else {}),
            },
            ("delete_endpoint_config", {"EndpointConfigName": name}),
        )
        yield Step(
            "sagemaker",
            "create_endpoint",
            {"EndpointName": name, "EndpointConfigName": name},
            ("delete_endpoint", {"EndpointName": name}),
        )

    def _scaling(self) -> Iterator[Step]:
        wanted, resource = self.deployment, self.deployment.resource
        yield Step(
            "application-autoscaling",
            "register_scalable_target",
            {**resource, "MinCapacity": wanted.least, "MaxCapacity": wanted.most},
            ("deregister_scalable_target", resource),
        )
        yield self._policy(
            f"{wanted.name}-load",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={"TargetValue": wanted.target, **self._measure()},
        )
        if wanted.mode != "async":
            return
        yield self._policy(
            f"{wanted.name}-first",
            PolicyType="StepScaling",
            StepScalingPolicyConfiguration={
                "AdjustmentType": "ChangeInCapacity",
                "MetricAggregationType": "Average",
                "Cooldown": 300,
                "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
            },
        )
        alarm = f"{wanted.name}-first"
        yield Step(
            "cloudwatch",
            "put_metric_alarm",
            {
                "AlarmName": alarm,
                "AlarmDescription": "Requests wait and no instance runs.",
                "Namespace": "AWS/SageMaker",
                "MetricName": WAITING,
                "Dimensions": [{"Name": "EndpointName", "Value": wanted.name}],
                "Statistic": "Average",
                "Period": 60,
                "EvaluationPeriods": 2,
                "DatapointsToAlarm": 2,
                "Threshold": 1,
                "ComparisonOperator": "GreaterThanOrEqualToThreshold",
                "TreatMissingData": "missing",
                "AlarmActions": [POLICY_ARN],
            },
            ("delete_alarms", {"AlarmNames": [alarm]}),
        )

    def _policy(self, name: str, **given: Any) -> Step:
        named = {"PolicyName": name, **self.deployment.resource}
        return Step(
            "application-autoscaling", "put_scaling_policy", {**named, **given}, ("delete_scaling_policy", named)
        )

    def _measure(self) -> dict[str, Any]:
        """What the load is told by: requests, or those that wait."""
        pauses = {"ScaleInCooldown": 600, "ScaleOutCooldown": 60}
        if self.deployment.mode != "async":
            return {"PredefinedMetricSpecification": {"PredefinedMetricType": INVOCATIONS}, **pauses}
        return {
            "CustomizedMetricSpecification": {
                "MetricName": BACKLOG,
                "Namespace": "AWS/SageMaker",
                "Dimensions": [{"Name": "EndpointName", "Value": self.deployment.name}],
                "Statistic": "Average",
            },
            **pauses,
        }


POLICY_ARN = "ARN of the policy before"
"""Stands in the plan for what is only known once that policy was put."""


def upload(archive: Path, place: str, region: str, say: Say) -> None:
    """Put a packed model at ``s3://BUCKET/KEY``.  Raises :class:`BadInput`."""
    match = _S3.fullmatch(place)
    if match is None:
        raise BadInput("The packed model goes to s3://BUCKET/.../model.tar.gz.")
    if not archive.is_file():
        raise BadInput(f"There is no packed model at {archive}.")
    say(f"Uploading {archive.stat().st_size / 1e6:.1f} MB to {place}")
    from boto3.exceptions import Boto3Error

    try:
        _said(lambda: client("s3", region, 60.0).upload_file(str(archive), match["bucket"], match["key"]))
    except Boto3Error as error:
        raise BadInput(f"The packed model could not be uploaded: {error}.") from error


def deploy(deployment: Deployment, say: Say, *, patience: float = 1800.0) -> None:
    """Make the calls of the plan and wait until the endpoint runs; where one fails, those before it are taken back.

    Raises :class:`BadInput` with what Amazon says.
    """
    plan = Plan(deployment)
    done: list[Step] = []
    steps = plan.steps()
    if _runs(deployment):
        raise BadInput(f"{deployment.name} is there already; tear it down first, or choose another name.")
    try:
        _make(steps, deployment.region, done, say)
        say("Waiting until the endpoint runs: some minutes")
        waiter = client("sagemaker", deployment.region, 60.0).get_waiter("endpoint_in_service")
        attempts = {"Delay": 15, "MaxAttempts": max(1, round(patience / 15))}
        _said(lambda: waiter.wait(EndpointName=deployment.name, WaiterConfig=attempts))
        _make(plan.scaling(), deployment.region, done, say)
    except (BadInput, KeyboardInterrupt):
        say("Taking back what was made")
        _take_down([Step(step.service, *step.undo) for step in reversed(done) if step.undo], deployment.region, say)
        raise


def _runs(deployment: Deployment) -> bool:
    amazon = client("sagemaker", deployment.region, 60.0)
    try:
        _said(lambda: amazon.describe_endpoint(EndpointName=deployment.name))
    except BadInput as error:
        if _GONE.search(str(error)):
            return False
        raise
    return True


def tear_down(deployment: Deployment, say: Say) -> int:
    """Delete everything of that name, of either mode; how much there was.  Raises :class:`BadInput`."""
    if not _NAME.fullmatch(deployment.name):
        raise BadInput("An endpoint is called by at most 50 letters, digits and single dashes.")
    return _take_down(Plan(replace(deployment, mode="async")).tear_down(), deployment.region, say)


def _make(steps: list[Step], region: str, done: list[Step], say: Say) -> None:
    arn = ""
    for step in steps:
        given = {name: [arn] if value == [POLICY_ARN] else value for name, value in step.given.items()}
        answer = _said(partial(_call, step, region, given))
        done.append(step)
        arn = answer.get("PolicyARN", arn)
        say(f"{step.service}: {step.method} {_subject(step)}")


def _take_down(steps: list[Step], region: str, say: Say) -> int:
    count = 0
    for step in steps:
        try:
            _said(partial(_call, step, region, step.given))
        except BadInput as error:
            if not _GONE.search(str(error)):
                raise
            continue
        count += step.service != "cloudwatch"  # which also deletes alarms that are not there
        say(f"{step.service}: {step.method} {_subject(step)}")
    return count


def _call(step: Step, region: str, given: dict[str, Any]) -> Any:
    return getattr(client(step.service, region, 60.0), step.method)(**given)


def _subject(step: Step) -> str:
    return str(next(iter(step.given.values())))


def _said(call: Callable[[], Any]) -> Any:
    """What Amazon answers.  Raises :class:`BadInput` with its sentence where it refuses."""
    from botocore.exceptions import BotoCoreError, ClientError, WaiterError

    try:
        return call()
    except WaiterError as error:
        why = error.last_response.get("FailureReason", "") if isinstance(error.last_response, dict) else ""
        raise BadInput(f"The endpoint did not come up: {why or error}") from error
    except ClientError as error:
        said = error.response.get("Error", {})
        raise BadInput(f"Amazon refuses: {str(said.get('Message') or said.get('Code'))[:300]}") from error
    except BotoCoreError as error:
        raise BadInput(f"Amazon cannot be asked: {error}") from error
