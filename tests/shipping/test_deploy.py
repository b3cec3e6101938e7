"""manage.py deploy sagemaker, against moto's server: what is made, what a dry run says, what is taken back."""

from __future__ import annotations

import json

import boto3
import pytest
from django.core.management import CommandError, call_command

from ml_backend.errors import Away, BadInput
from ml_backend.serving import endpoints, sagemaker
from ml_backend.serving.endpoints import Where
from ml_backend.shipping.asking import Endpoint
from tests.shipping.asked import asked, base64_of, photo

REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/toile"
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/toile:1"


@pytest.fixture(scope="module")
def amazon():
    """Its address; every service of it in this process."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def _at_moto(amazon, monkeypatch):
    import urllib.request

    for name, value in {
        "AWS_ENDPOINT_URL": amazon, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    endpoints._made_client.cache_clear()
    urllib.request.urlopen(urllib.request.Request(f"{amazon}/moto-api/reset", method="POST"), timeout=10).close()
    for bucket in ("models", "answers"):
        service("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    yield
    endpoints._made_client.cache_clear()


def service(name):
    return boto3.client(name, region_name=REGION)


def deploy(*arguments, **options):
    usual = {"region": REGION, "archive": "s3://models/tiny/model.tar.gz", "image": IMAGE, "role": ROLE}
    call_command("deploy", "sagemaker", "dresses", *arguments, **{**usual, **options})


def names():
    amazon = service("sagemaker")
    return (
        [one["ModelName"] for one in amazon.list_models()["Models"]],
        [one["EndpointConfigName"] for one in amazon.list_endpoint_configs()["EndpointConfigs"]],
        [one["EndpointName"] for one in amazon.list_endpoints()["Endpoints"]],
    )


def scaling():
    of = {"ServiceNamespace": "sagemaker"}
    automatic = service("application-autoscaling")
    return (
        automatic.describe_scalable_targets(**of)["ScalableTargets"],
        {one["PolicyName"]: one for one in automatic.describe_scaling_policies(**of)["ScalingPolicies"]},
        {one["AlarmName"]: one for one in service("cloudwatch").describe_alarms()["MetricAlarms"]},
    )


ALL = (["dresses"],) * 3
NONE = ([],) * 3


def test_an_endpoint_is_made_and_torn_down(tmp_path, capsys):
    archive = tmp_path / "model.tar.gz"
    archive.write_bytes(b"packed")
    deploy(upload=archive)
    assert names() == ALL
    assert service("s3").get_object(Bucket="models", Key="tiny/model.tar.gz")["Body"].read() == b"packed"
    amazon = service("sagemaker")
    model = amazon.describe_model(ModelName="dresses")
    assert (model["PrimaryContainer"]["Image"], model["ExecutionRoleArn"]) == (IMAGE, ROLE)
    assert model["PrimaryContainer"]["ModelDataUrl"] == "s3://models/tiny/model.tar.gz"
    config = amazon.describe_endpoint_config(EndpointConfigName="dresses")
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 1
    assert "AsyncInferenceConfig" not in config
    assert scaling() == ([], {}, {}), "one machine, always"
    assert "models connect MODEL --sagemaker dresses --region eu-west-1" in capsys.readouterr().out
    deploy("--tear-down")
    assert names() == NONE
    assert service("s3").get_object(Bucket="models", Key="tiny/model.tar.gz"), "the packed model stays"
    with pytest.raises(CommandError, match="nothing called dresses"):
        deploy("--tear-down")


def test_a_real_time_one_grows_with_its_invocations():
    deploy(least=1, most=4, target=12.0)
    (target,), policies, alarms = scaling()
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 4)
    assert target["ResourceId"] == "endpoint/dresses/variant/all"
    measure = policies["dresses-load"]["TargetTrackingScalingPolicyConfiguration"]
    assert measure["TargetValue"] == 12.0
    kind = measure["PredefinedMetricSpecification"]["PredefinedMetricType"]
    assert kind == "SageMakerVariantInvocationsPerInstance"
    assert set(policies) == {"dresses-load"}
    deploy("--tear-down")
    assert (names(), scaling()[:2]) == (NONE, ([], {}))
    assert "dresses-first" not in alarms


def test_an_asynchronous_one_grows_with_what_waits_and_shrinks_to_nothing():
    deploy(mode="async", outputs="s3://answers/dresses", least=0, most=2)
    config = service("sagemaker").describe_endpoint_config(EndpointConfigName="dresses")
    assert config["AsyncInferenceConfig"]["OutputConfig"]["S3OutputPath"] == "s3://answers/dresses/answers"
    (target,), policies, alarms = scaling()
    assert (target["MinCapacity"], target["MaxCapacity"]) == (0, 2)
    measure = policies["dresses-load"]["TargetTrackingScalingPolicyConfiguration"]["CustomizedMetricSpecification"]
    assert measure["MetricName"] == "ApproximateBacklogSizePerInstance"
    assert alarms["dresses-first"]["MetricName"] == "HasBacklogWithoutCapacity"
    assert alarms["dresses-first"]["AlarmActions"] == [policies["dresses-first"]["PolicyARN"]]
    deploy("--tear-down")
    assert (names(), scaling()) == (NONE, ([], {}, {}))


def test_a_dry_run_prints_the_plan_and_makes_nothing(capsys, tmp_path):
    deploy("--dry-run", mode="async", outputs="s3://answers/dresses", least=0, most=2, upload=tmp_path / "none")
    said = capsys.readouterr().out
    for call in ("sagemaker create_model", "create_endpoint_config", "create_endpoint\n", "put_metric_alarm"):
        assert call in said
    plan = json.loads("[" + said[said.index("{") :].split("\nsagemaker", 1)[0] + "]")
    assert plan[0]["PrimaryContainer"]["Image"] == IMAGE
    assert names() == NONE
    assert scaling() == ([], {}, {})


def test_what_fails_on_the_way_is_taken_back(monkeypatch):
    made = sagemaker.Plan.scaling

    def broken(self):
        return [*made(self), sagemaker.Step("sagemaker", "create_endpoint", {"EndpointName": "x"})]

    monkeypatch.setattr(sagemaker.Plan, "scaling", broken)
    with pytest.raises(CommandError, match="Amazon cannot be asked"):
        deploy(most=2)
    assert (names(), scaling()[:2]) == (NONE, ([], {}))


def test_what_is_there_already_stays():
    deploy()
    with pytest.raises(CommandError, match="there already"):
        deploy()
    assert names() == ALL


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"archive": "model.tar.gz"}, "s3://BUCKET"),
        ({"image": ""}, "image"),
        ({"role": "me"}, "role"),
        ({"mode": "async"}, "place for answers"),
        ({"outputs": "s3://answers/x"}, "place for answers"),
        ({"least": 0}, "1 to 100"),
        ({"least": 3, "most": 2}, "no more than the most"),
        ({"target": 0.0}, "above 0"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_made(options, says):
    with pytest.raises(CommandError, match=says):
        deploy(**options)
    assert names() == NONE


def test_a_name_that_amazon_does_not_take_is_refused():
    with pytest.raises(CommandError, match="50 letters"):
        call_command("deploy", "sagemaker", "my dresses", "--tear-down", region=REGION)


# --- asking it ------------------------------------------------------------------------------------------------------


def endpoint(where):
    parsed = Where.parse(where)
    return Endpoint("tiny", endpoints._begin(parsed, 5.0), seconds=10.0)


def answers(amazon, path, *results):
    import urllib.request

    body = json.dumps({"region": REGION, "results": list(results)}).encode()
    urllib.request.urlopen(
        urllib.request.Request(
            f"{amazon}/moto-api/static/sagemaker/{path}", body, {"Content-Type": "application/json"}
        ),
        timeout=10,
    ).close()


PICTURE = json.dumps({"generated_images": [base64_of(photo())]})
REAL_TIME = {"sagemaker": "dresses", "region": REGION}
ASYNC = {**REAL_TIME, "mode": "async", "inputs": "s3://answers/questions"}


def test_a_real_time_endpoint_paints(amazon):
    answers(amazon, "endpoint-results", {"Body": PICTURE, "ContentType": "application/json"})
    image, _ = endpoint(REAL_TIME).paint(asked(), {"seed": 1})
    assert image.size == (64, 64)


def test_an_asynchronous_endpoint_paints_through_a_bucket_that_is_left_empty(amazon, monkeypatch):
    monkeypatch.setattr(endpoints, "POLL_SECONDS", 0.05)
    answers(amazon, "async-endpoint-results", {"data": PICTURE})
    image, _ = endpoint(ASYNC).paint(asked(), {"seed": 1})
    assert image.size == (64, 64)
    s3 = service("s3")
    for bucket in s3.list_buckets()["Buckets"]:
        assert s3.list_objects_v2(Bucket=bucket["Name"])["KeyCount"] == 0, bucket["Name"]


def test_what_an_asynchronous_endpoint_could_not_do_is_said(amazon, monkeypatch):
    monkeypatch.setattr(endpoints, "POLL_SECONDS", 0.05)
    answers(amazon, "async-endpoint-results", {"is_failure": True, "data": json.dumps({"error": "Too blue."})})
    with pytest.raises(BadInput, match="Too blue"):
        endpoint(ASYNC).paint(asked(), {})


def test_amazon_that_does_not_answer_is_away(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("ml_backend.shipping.asking.FIRST_PAUSE", 0.01)
    endpoints._made_client.cache_clear()
    for where in (REAL_TIME, ASYNC):
        with pytest.raises(Away):
            endpoint(where).paint(asked(), {})


@pytest.mark.parametrize(
    ("response", "error", "says"),
    [
        ({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 400, "OriginalMessage": "No."}, BadInput, "No"),
        ({"Error": {"Code": "ModelError"}, "OriginalStatusCode": 500, "OriginalMessage": "x"}, Away, "status 500"),
        ({"Error": {"Code": "ModelError"}, "ResponseMetadata": {"HTTPStatusCode": 424}}, Away, "599"),
        ({"Error": {"Code": "ValidationError", "Message": "Endpoint not found"}}, Away, "404"),
        ({"Error": {"Code": "AccessDeniedException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, Away, "403"),
        ({"Error": {"Code": "ThrottlingException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, Away, "status 429"),
    ],
)  # fmt: skip
def test_what_amazon_says_of_a_container_is_told_apart(response, error, says, monkeypatch):
    from botocore.exceptions import ClientError

    monkeypatch.setattr("ml_backend.shipping.asking.FIRST_PAUSE", 0.01)
    runtime = endpoints.client("sagemaker-runtime", REGION, 5.0)

    def refuse(**_):
        raise ClientError(response, "InvokeEndpoint")

    monkeypatch.setattr(runtime, "invoke_endpoint", refuse)
    with pytest.raises(error, match=says):
        endpoint(REAL_TIME).paint(asked(), {})
