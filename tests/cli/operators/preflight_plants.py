"""Faults for `registry preflight`, each planted where one line looks, and that line alone."""

import json
from contextlib import contextmanager
from threading import Thread
from uuid import uuid4

from sqlalchemy import create_engine
from werkzeug.serving import make_server

from registry.api.state import get_state
from registry.app import create_app
from registry.sandbox.servers.processes import LOOPBACK, free_port
from tests.cli.operators.plants import PLANTS
from tests.databases import migrated_database
from tests.flipping_proxy import a_flipping_proxy

PORTAL = "https://portal.example"

# Of the plants that `settings check` has: the line that each turns red.
OF_SETTINGS = {
    "a_setting_that_is_misspelt": "settings",
    "our_certificate_is_one_of_production": "keys and certificates",
    "an_empty_database": "database (application)",
    "a_role_that_is_not_there": "database (owner)",
    "a_role_that_may_do_anything": "database (worker)",
    "an_access_key_that_is_wrong": "document store",
    "a_bucket_of_seals_without_object_lock": "seal store",
    "a_key_that_is_not_registered": "authorization server",
    "a_certificate_that_has_expired": "introspection",
    "a_name_that_is_not_resolved": "Partition API",
    "a_service_that_says_nothing": "preferences",
    "a_port_where_nobody_listens": "event service",
    "a_public_address_of_another_service": "public address",
    "something_else_than_clamd": "malware scanner",
    "a_store_of_counts_that_wants_a_password": "store of shared counts",
}
LATER = {"a_clock_that_is_wrong": "clocks"}

# What is done to a database, by the line that it turns red.
IN_DATABASE = {
    "indexes": "DROP INDEX ix_deletions_message_id",
    "plan of the listing": "DROP INDEX ix_messages_newest",
    "plan of the detail": "UPDATE pg_index SET indisvalid = false"
    " WHERE indexrelid = 'pk_messages'::regclass",
    "plan of the search": "DROP INDEX ix_search_texts_large",
    "plan of the outbox": "DROP INDEX ix_outbox_waiting",
    "plan of the purge": "DROP INDEX ix_messages_expires_at",
    "plan of sealing": "DROP INDEX ix_audit_entries_xid",
    "canary letter": "ALTER TABLE messages DISABLE ROW LEVEL SECURITY",
    "reference data": "UPDATE message_types SET name = name - 'de'",
    "worker heartbeat": "UPDATE turns SET taken_at = taken_at - interval '1 hour'",
    "last seal": "UPDATE audit_seals SET stored_at = stored_at - interval '1 day'",
}
ELSEWHERE = (
    "rights on documents",
    "rights on seals",
    "last backup",
    "CORS from outside",
    "cache headers from outside",
)


class Site:
    """A registry that serves, with a database and buckets of its own, all of it well.

    `environment` is what a preflight needs to look at it, `backups` a folder of backups.
    """

    def __init__(self, settings, environment, urls, objects, backups):
        self.urls, self.objects, self.backups = urls, objects, backups
        self.strips_caching = False
        names = {"documents": f"documents-{uuid4().hex[:8]}", "seals": f"seals-{uuid4().hex[:8]}"}
        self.documents, self.seals = names["documents"], names["seals"]
        objects.create_bucket(self.documents)
        objects.create_bucket(self.seals, has_object_lock=True)
        self.port = free_port()
        changes = {
            "public_url": f"http://{LOOPBACK}:{self.port}",
            "database_url": urls.application,
            "database_owner_url": urls.owner,
            "database_worker_url": urls.worker,
            "s3_bucket": self.documents,
            "audit_bucket": self.seals,
            "cors_origins": (PORTAL,),
        }
        self.settings = type(settings)(
            **{name: getattr(settings, name) for name in settings.model_fields_set} | changes
        )
        self.environment = environment | {
            "REGISTRY_PUBLIC_URL": changes["public_url"],
            "REGISTRY_DATABASE_URL": urls.application,
            "REGISTRY_DATABASE_OWNER_URL": urls.owner,
            "REGISTRY_DATABASE_WORKER_URL": urls.worker,
            "REGISTRY_S3_BUCKET": self.documents,
            "REGISTRY_AUDIT_BUCKET": self.seals,
            "REGISTRY_AUDIT_S3_ENDPOINT": objects.endpoint,
            "REGISTRY_AUDIT_S3_ACCESS_KEY": objects.access_key,
            "REGISTRY_AUDIT_S3_SECRET_KEY": objects.secret_key,
            "REGISTRY_CORS_ORIGINS": PORTAL,
            "REGISTRY_OAUTH_TIMEOUT": "60",
            "REGISTRY_PARTITION_TIMEOUT": "60",
            "REGISTRY_FEDERATION_TIMEOUT": "60",
            "REGISTRY_EVENTS_TIMEOUT": "7",
            "REGISTRY_DATABASE_CONNECT_TIMEOUT": "30",
            "REGISTRY_S3_TIMEOUT": "60",
        }

    def execute(self, statement, url=None):
        engine = create_engine(url or self.urls.owner)
        with engine.begin() as connection:
            connection.exec_driver_sql(statement)
        engine.dispose()

    def show_signs_of_life(self):
        """What a worker would have left, and last night's backup."""
        self.execute("INSERT INTO turns VALUES ('remind', clock_timestamp())")
        self.execute(
            "INSERT INTO audit_seals VALUES (1, '', '', pg_current_xact_id(), clock_timestamp(),"
            " clock_timestamp(), clock_timestamp())"
        )

    def __call__(self, environ, start_response):
        """The application, behind what may be a proxy that takes headers away."""

        def start(status, headers, *rest):
            if self.strips_caching:
                headers = [each for each in headers if each[0].lower() != "cache-control"]
            return start_response(status, headers, *rest)

        return self.app(environ, start)

    @contextmanager
    def serve(self):
        self.app = create_app(self.settings)
        server = make_server(LOOPBACK, self.port, self, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield self
        server.shutdown()
        thread.join()
        server.server_close()
        get_state(self.app).registry.dispose()

    def deny(self, bucket, action):
        statement = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": [action],
            "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
        }
        client = self.objects.client()
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        client.put_bucket_policy(Bucket=bucket, Policy=policy)
        client.close()


@contextmanager
def a_site(cluster, settings, environment, objects, backups):
    with migrated_database(cluster, "preflight") as urls:
        site = Site(settings, environment, urls, objects, backups)
        site.show_signs_of_life()
        with site.serve():
            yield site


def plant_in_settings(parts, names):
    """Plant faults of settings; gives the variables."""
    changes = {}
    for name in names:
        variables = PLANTS[name](parts).variables
        assert not set(changes) & set(variables)
        changes |= variables
    return changes


def plant_inside(site, superuser_url):
    """Plant all that is done to database, buckets, backups and the server; gives the variables."""
    for line, statement in IN_DATABASE.items():
        is_catalog = line in ("plan of the detail", "last seal")
        site.execute(statement, superuser_url if is_catalog else None)
    site.deny(site.documents, "s3:ListBucketMultipartUploads")
    site.deny(site.seals, "s3:GetObjectRetention")
    for each in site.backups.iterdir():
        each.rename(each.with_name("base-20200101T000000Z"))
    site.strips_caching = True
    return {"REGISTRY_CORS_ORIGINS": "https://another.example"}


@contextmanager
def what_flips_a_bit(site):
    """A store that gives back other bytes than it got; gives the variables."""
    with a_flipping_proxy(site.objects.endpoint, b"registry storage check") as proxy:
        proxy.flip("back", 10_000)
        yield {"REGISTRY_S3_ENDPOINT": proxy.endpoint}
