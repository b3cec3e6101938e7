"""How much one person, one name and one address may ask for; where a request comes from."""

from __future__ import annotations

import ipaddress
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from limits import parse_many

from ml_backend.models import Job
from ml_backend.serving import jobs
from patterns.models import Pattern
from studio import checks, counting, limits
from studio.address import Proxies, name_of, origin_of
from studio.api import tokens
from studio.models import Counter, Photo, User

pytestmark = pytest.mark.django_db
PASSWORD = "s3wing-kit"
HTMX = {"HX-Request": "true"}
FABRIC = {"pattern_type": "dotted", "engine": "drawn", "count": 1}


@pytest.fixture
def allow(settings: Any) -> Any:
    """``allow(guests="2/hour")``: these limits and, of the others, those of the settings."""

    def make(**texts: str) -> None:
        settings.LIMITS = {
            **settings.LIMITS,
            **{name: parse_many(text) if text else [] for name, text in texts.items()},
        }

    return make


def refused(answer: Any) -> int:
    """Seconds until it may be asked for again, of an answer that says so."""
    assert answer.status_code == 429
    seconds = int(answer.headers["Retry-After"])
    assert seconds > 0
    return seconds


class TestGuests:
    def test_an_address_makes_so_many_an_hour_and_no_more(self, allow):
        allow(guests="2/hour")
        for _ in range(2):
            assert Client().post(reverse("fabric-new"), FABRIC).status_code == 302
        answer = Client().post(reverse("fabric-new"), FABRIC)
        assert 3500 < refused(answer) <= 3600
        assert "Please try again in 60 minutes" in answer.content.decode()
        assert (User.objects.count(), Job.objects.count()) == (2, 2)

    def test_over_htmx_the_page_gets_the_sentence(self, allow):
        allow(guests="0/hour")
        answer = Client().post(reverse("fabric-new"), FABRIC, headers=HTMX)
        refused(answer)
        assert answer.headers["Content-Type"].startswith("text/plain")
        assert answer.content.decode().startswith("Very many visitors")

    def test_another_address_and_who_is_here_already_are_not_held_up(self, allow):
        allow(guests="1/hour")
        known = Client()
        known.post(reverse("fabric-new"), FABRIC)
        assert known.post(reverse("fabric-new"), FABRIC).status_code == 302
        assert Client(REMOTE_ADDR="192.0.2.7").post(reverse("fabric-new"), FABRIC).status_code == 302

    def test_reading_is_free(self, allow):
        allow(guests="0/hour", jobs="0/hour", jobs_address="0/hour")
        assert Client().get(reverse("studio")).status_code == 200

    def test_an_empty_setting_is_no_limit(self, allow):
        allow(guests="")
        assert Client().post(reverse("fabric-new"), FABRIC).status_code == 302

    def test_signing_up_has_its_own(self, allow):
        allow(sign_ups="1/hour")
        form = {"password1": PASSWORD, "password2": PASSWORD, "email": ""}
        assert Client().post(reverse("sign-up"), {**form, "username": "carla"}).status_code == 302
        refused(Client().post(reverse("sign-up"), {**form, "username": "dora"}))
        assert User.objects.count() == 1


class TestJobs:
    def test_a_person_presses_so_often_on_pages_and_by_programs_together(self, allow, client_of, person, other):
        allow(jobs="3/hour")
        client, program = client_of(person), {"Authorization": f"Bearer {tokens.make(person, 'test')[1]}"}
        assert client.post(reverse("fabric-new"), {**FABRIC, "count": 2}).status_code == 302
        body = {"pattern_type": "dotted", "engine": "drawn"}
        ask = {"data": body, "content_type": "application/json", "headers": program}
        assert Client().post("/api/v1/patterns", **ask).status_code == 202
        answer = Client().post("/api/v1/patterns", **ask)
        refused(answer)
        assert answer.json()["error"]["code"] == "too_fast"
        refused(client.post(reverse("fabric-new"), FABRIC))
        assert Job.objects.count() == 3
        assert client_of(other).post(reverse("fabric-new"), FABRIC).status_code == 302

    def test_an_address_too_however_many_people(self, allow, client_of, person, other):
        allow(jobs_address="1/hour")
        assert client_of(person).post(reverse("fabric-new"), FABRIC).status_code == 302
        answer = client_of(other).post(reverse("fabric-new"), FABRIC)
        refused(answer)
        assert "Your network" in answer.content.decode()

    def test_all_of_a_press_or_nothing(self, allow, client_of, person):
        allow(jobs="3/hour")
        refused(client_of(person).post(reverse("fabric-new"), {**FABRIC, "count": 4}))
        assert not Job.objects.exists()
        assert client_of(person).post(reverse("fabric-new"), {**FABRIC, "count": 3}).status_code == 302

    def test_trying_again_counts(self, allow, client_of, person):
        allow(jobs="1/hour")
        client = client_of(person)
        client.post(reverse("fabric-new"), FABRIC)
        job = Job.objects.get()
        jobs.cancel(job)
        refused(client.post(reverse("job-retry", args=[job.pk])))
        job.refresh_from_db()
        assert job.state == "cancelled"

    def test_the_time_passes(self, allow, client_of, person):
        allow(jobs="1/minute")
        client = client_of(person)
        client.post(reverse("fabric-new"), FABRIC)
        assert refused(client.post(reverse("fabric-new"), FABRIC)) <= 60
        Counter.objects.update(until=timezone.now() - timedelta(seconds=1))
        assert client.post(reverse("fabric-new"), FABRIC).status_code == 302

    def test_a_command_asks_from_nowhere(self, allow, person):
        from ml_backend.requests import GenerateRequest
        from patterns import services

        allow(jobs="0/hour", jobs_address="0/hour")
        services.ask(person, GenerateRequest("dotted", 1, engine="drawn"))
        assert Pattern.objects.count() == 1


class TestUploads:
    def test_so_many_a_person(self, allow, client_of, person, picture):
        allow(uploads="1/hour")
        client = client_of(person)

        def send() -> Any:
            return client.post(reverse("photo-new"), {"image": SimpleUploadedFile("a.jpg", picture())})

        assert send().status_code == 302
        refused(send())
        assert Photo.objects.count() == 1

    def test_so_many_an_address_by_programs_too(self, allow, client_of, person, other, picture):
        allow(uploads_address="1/hour")
        client_of(person).post(reverse("photo-new"), {"image": SimpleUploadedFile("a.jpg", picture())})
        program = {"Authorization": f"Bearer {tokens.make(other, 'test')[1]}"}
        refused(Client().post("/api/v1/photos", {"image": SimpleUploadedFile("a.jpg", picture())}, headers=program))
        assert Photo.objects.count() == 1


class TestPasswords:
    def guess(self, name: str = "ana", password: str = "wrong", where: str = "198.51.100.1") -> Any:
        client = Client(REMOTE_ADDR=where)
        return client.post(reverse("sign-in"), {"username": name, "password": password})

    def test_after_too_many_even_the_right_one_is_not_looked_at(self, allow, person):
        allow(guesses="3/15minute")
        for _ in range(3):
            assert self.guess().status_code == 200
        answer = self.guess(password=PASSWORD)
        assert refused(answer) <= 900
        assert "wrong password too often" in answer.content.decode()

    def test_a_name_in_other_letters_is_the_same_name_and_unknown_names_are_counted_alike(self, allow, person):
        allow(guesses="2/15minute")
        self.guess("Ana")
        self.guess(" aNA ")
        refused(self.guess("ana"))
        self.guess("nobody")
        self.guess("nobody")
        refused(self.guess("nobody"))

    def test_the_owner_elsewhere_is_not_locked_out_by_a_stranger(self, allow, person):
        allow(guesses="2/15minute")
        for _ in range(4):
            self.guess()
        assert self.guess(password=PASSWORD, where="203.0.113.9").status_code == 302

    def test_many_addresses_guess_one_name_together(self, allow, person):
        allow(guesses_name="5/hour")
        for number in range(5):
            assert self.guess(where=f"198.51.100.{number}").status_code == 200
        refused(self.guess(where="198.51.100.77"))

    def test_many_names_from_one_address(self, allow, person):
        allow(guesses_address="5/15minute")
        for number in range(5):
            assert self.guess(f"name-{number}").status_code == 200
        refused(self.guess("ana", PASSWORD))

    def test_who_mistypes_now_and_then_is_not_held_up(self, allow, person):
        allow(guesses="3/15minute")
        for _ in range(4):
            self.guess()
            assert self.guess(password=PASSWORD).status_code == 302

    def test_the_admin_pages_count_too(self, allow, staff):
        allow(guesses="2/15minute")
        form = {"username": "staff", "password": "wrong"}
        for _ in range(2):
            assert Client().post("/admin/login/", form).status_code == 200
        refused(Client().post("/admin/login/", {**form, "password": PASSWORD}))

    def test_old_password_and_deletion(self, allow, client_of, person):
        allow(guesses="2/15minute")
        client = client_of(person)
        new = {"old_password": "wrong", "new_password1": "qu1lting-bee", "new_password2": "qu1lting-bee"}
        assert client.post(reverse("password-change"), new).status_code == 200
        assert client.post(reverse("delete-everything"), {"password": "wrong"}).status_code == 200
        refused(client.post(reverse("password-change"), {**new, "old_password": PASSWORD}))
        refused(client.post(reverse("delete-everything"), {"password": PASSWORD}))
        person.refresh_from_db()
        assert person.check_password(PASSWORD)

    def test_guessed_tokens_are_refused_and_a_known_one_still_passes(self, allow, person):
        allow(tokens="2/15minute")
        text = tokens.make(person, "test")[1]

        def ask(token: str) -> Any:
            return Client().get("/api/v1/limits", headers={"Authorization": f"Bearer {token}"})

        assert [ask("toile_x").status_code for _ in range(2)] == [401, 401]
        refused(ask("toile_x"))
        assert ask(text).status_code == 200

    def test_what_was_typed_is_not_kept(self, person):
        self.guess("my-secret-typed-in-the-wrong-field")
        assert not [key for key in Counter.objects.values_list("key", flat=True) if "secret" in key or "198" in key]


class TestTurns:
    def test_a_hundred_guests_of_one_address_are_one(self, client_of, person):
        for _ in range(20):
            Client(REMOTE_ADDR="198.51.100.1").post(reverse("fabric-new"), FABRIC)
        client_of(person).post(reverse("fabric-new"), FABRIC)
        mine = Job.objects.get(owner=person)
        assert jobs.place(mine) == 2
        jobs.claim("default")
        claimed = jobs.claim("default")
        assert claimed is not None
        assert claimed.job == mine

    def test_guests_of_other_addresses_and_members_have_turns_of_their_own(self, client_of, person, other):
        for where in ("198.51.100.1", "198.51.100.1", "198.51.100.2"):
            Client(REMOTE_ADDR=where).post(reverse("fabric-new"), FABRIC)
        for member in (person, other):
            client_of(member).post(reverse("fabric-new"), FABRIC)
        assert len(set(Job.objects.values_list("turn", flat=True))) == 4

    def test_who_shares_an_address_with_a_script_waits_for_one_job_of_each_of_its_guests(self):
        for _ in range(3):
            Client().post(reverse("fabric-new"), {**FABRIC, "count": 4})
        visitor = Client()
        visitor.post(reverse("fabric-new"), {**FABRIC, "count": 2})
        first, second = Job.objects.filter(owner=visitor.session["_auth_user_id"]).order_by("queued_at")
        assert (jobs.place(first), jobs.place(second)) == (4, 8)
        order = [claimed.job.pk for _ in range(8) if (claimed := jobs.claim("default"))]
        assert (order.index(first.pk), order.index(second.pk)) == (3, 7)

    def test_places_are_the_order_in_which_jobs_start(self, client_of, person, other):
        for member in (person, other, person):
            client_of(member).post(reverse("fabric-new"), {**FABRIC, "count": 2})
        for where in ("198.51.100.1", "198.51.100.1", "198.51.100.2"):
            Client(REMOTE_ADDR=where).post(reverse("fabric-new"), {**FABRIC, "count": 3})
        for _ in range(3):
            jobs.claim("default")
        waiting = {job.pk: jobs.place(job) for job in Job.objects.filter(state="queued")}
        order = []
        while (claimed := jobs.claim("default")) is not None:
            order.append(claimed.job.pk)
        assert sorted(waiting.values()) == list(range(1, len(order) + 1))
        assert [waiting[pk] for pk in order] == sorted(waiting.values())

    def test_signing_up_takes_the_work_to_ones_own_turn(self):
        client = Client()
        client.post(reverse("fabric-new"), FABRIC)
        client.post(reverse("sign-up"), {"username": "carla", "password1": PASSWORD, "password2": PASSWORD})
        job = Job.objects.get()
        assert job.turn == f"person {User.objects.get(username='carla').pk}" == job.owner.turn


class TestCounting:
    def test_a_count_begins_anew_when_its_time_is_over(self):
        counters = counting.Counters()
        assert [counters.incr("a", 60) for _ in range(2)] == [1, 2]
        assert counters.incr("b", 60, amount=5) == 5
        Counter.objects.filter(key="a").update(until=timezone.now())
        assert counters.get("a") == 0
        assert counters.incr("a", 60) == 1

    def test_old_counts_are_deleted(self):
        counters = counting.Counters()
        counters.incr("a", 60)
        counters.incr("b", 60)
        Counter.objects.filter(key="a").update(until=timezone.now() - timedelta(seconds=1))
        assert counting.delete_over() == 1
        assert Counter.objects.get().key == "b"

    @pytest.mark.django_db(transaction=True)
    def test_many_at_once_lose_none(self):
        together = threading.Barrier(6, timeout=20)
        seen: list[int] = []

        def count() -> None:
            together.wait()
            for _ in range(5):
                seen.append(counting.Counters().incr("a", 60))
            connection.close()

        threads = [threading.Thread(target=count) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sorted(seen) == list(range(1, 31))

    def test_who_is_refused_writes_nothing(self, allow):
        allow(guests="1/hour")
        with limits.asking_from("here"):
            limits.new_guest()
            for _ in range(3):
                with pytest.raises(limits.TooFast):
                    limits.new_guest()
        assert Counter.objects.get().count == 1


class TestAddress:
    @pytest.mark.parametrize(
        ("trusted", "remote", "forwarded", "client"),
        [
            ([], "198.51.100.1", "", "198.51.100.1"),
            ([], "198.51.100.1", "203.0.113.9", "198.51.100.1"),  # anybody can write the header
            (["1"], "10.0.0.2", "203.0.113.9", "203.0.113.9"),
            (["1"], "10.0.0.2", "1.1.1.1, 203.0.113.9", "203.0.113.9"),  # the left one is made up
            (["1"], "10.0.0.2", "", "10.0.0.2"),
            (["2"], "10.0.0.2", "1.1.1.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
            (["1"], "", "203.0.113.9", "203.0.113.9"),  # by a socket file
            (["1"], "10.0.0.2", "rubbish", "10.0.0.2"),
            (["10.0.0.0/8"], "10.0.0.2", "1.1.1.1, 203.0.113.9, 10.0.0.3", "203.0.113.9"),
            (["10.0.0.0/8"], "198.51.100.1", "203.0.113.9", "198.51.100.1"),  # past the proxy
            (["10.0.0.0/8"], "10.0.0.2", "1.1.1.1, rubbish", "10.0.0.2"),
            (["10.0.0.0/8", "fd00::/8"], "fd00::1", "203.0.113.9, 10.0.0.2", "203.0.113.9"),
            (["1"], "10.0.0.2", "203.0.113.9:4711", "203.0.113.9"),
            (["1"], "10.0.0.2", '"[2001:db8::7]:4711"', "2001:db8::7"),
            ([], "::ffff:198.51.100.1", "", "198.51.100.1"),
            ([], "fe80::1%eth0", "", "fe80::1"),
        ],
    )
    def test_who_asked(self, trusted, remote, forwarded, client):
        assert Proxies.read(trusted).client(remote, forwarded) == ipaddress.ip_address(client)

    def test_nobody_knows(self):
        assert Proxies.read([]).client("", "") is None

    def test_a_home_of_ipv6_is_one(self):
        names = [name_of(ipaddress.ip_address(text)) for text in ("2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1")]
        assert names[0] == names[1] != names[2]
        assert not any(digits in "".join(names) for digits in ("2001", "db8:"))

    def test_a_spoofed_header_does_not_buy_more_guests(self, settings, allow):
        settings.TRUSTED_PROXIES = ["1"]
        allow(guests="1/hour")
        answers = [
            Client().post(
                reverse("fabric-new"), FABRIC, headers={"X-Forwarded-For": f"203.0.113.{number}, 198.51.100.1"}
            )
            for number in range(2)
        ]
        assert [answer.status_code for answer in answers] == [302, 429]
        further = Client().post(reverse("fabric-new"), FABRIC, headers={"X-Forwarded-For": "198.51.100.2"})
        assert further.status_code == 302

    def test_settings_are_read(self, settings, rf: RequestFactory):
        settings.TRUSTED_PROXIES = ["127.0.0.1"]
        request = rf.get("/", headers={"X-Forwarded-For": "203.0.113.9"})
        assert origin_of(request) == name_of(ipaddress.ip_address("203.0.113.9"))

    def test_check_says_what_is_wrong(self, settings):
        assert checks.proxies_are_named() == []
        settings.TRUSTED_PROXIES = ["the proxy"]
        assert [message.id for message in checks.proxies_are_named()] == ["toile.E001"]
        settings.TRUSTED_PROXIES, settings.SECURE_PROXY_SSL_HEADER = [], ("HTTP_X_FORWARDED_PROTO", "https")
        assert [message.id for message in checks.proxies_are_named()] == ["toile.W001"]
        settings.TRUSTED_PROXIES = ["1"]
        assert checks.proxies_are_named() == []
