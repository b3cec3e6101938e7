from django.core.management.base import BaseCommand

from ml_backend.serving import jobs
from ml_backend.tasks import purge_broker
from studio import retention
from studio.api import idempotency
from studio.trends import services as trends


class Command(BaseCommand):
    help = "Take back jobs of dead workers, delete lost files and what the retention settings say; safe at any time."

    def handle(self, **_: object) -> None:
        swept = jobs.sweep()
        messages, old = purge_broker(), jobs.purge_old()
        photos, guests = retention.delete_old_photos(), retention.delete_empty_guests()
        retention.delete_loose_masks()
        retention.delete_unkept_fabrics()
        trends.forget()
        retention.delete_expired_sessions()
        idempotency.delete_old()
        self.stdout.write(
            f"{swept.requeued} jobs queued again, {swept.failed} given up, {swept.rung} rung for; {swept.files} lost"
            f" files, {messages} messages, {old} old job rows, {photos} photos and {guests} empty guests deleted."
        )
