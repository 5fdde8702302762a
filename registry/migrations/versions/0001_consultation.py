"""Consultation: messages by e-Box, reference data, partition rights, events to tell."""

from alembic import context, op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_PARTITIONS = 16
_BY_EBOX = (
    "messages",
    "attachments",
    "search_texts",
    "sent_messages",
    "partition_rights",
    "outbox",
)

# What the service may do and no more; the hash partitions themselves are closed to it, so that
# nobody gets around the policies of their parents.
_GRANTS = {
    "SELECT": (
        "message_types, sender_applications, sender_organizations, sender_configurations,"
        " images, message_templates"
    ),
    "SELECT, INSERT": "messages, attachments, sent_messages",
    "UPDATE (read_at, is_visible, partition, action_executed_at)": "messages",
    "INSERT": "search_texts, outbox",
    "SELECT, INSERT, UPDATE, DELETE": "partition_rights",
}

_TABLES = """
CREATE TABLE message_types (
  message_type_id TEXT NOT NULL,
  name JSONB NOT NULL,
  description JSONB,
  validity_number INTEGER NOT NULL,
  validity_unit TEXT NOT NULL,
  folded_nl TEXT NOT NULL,
  folded_fr TEXT NOT NULL,
  folded_de TEXT NOT NULL,
  CONSTRAINT pk_message_types PRIMARY KEY (message_type_id),
  CONSTRAINT ck_message_types_validity_unit CHECK (validity_unit IN ('day', 'month', 'year'))
);

CREATE TABLE sender_applications (
  application_id TEXT NOT NULL,
  name JSONB NOT NULL,
  description JSONB,
  url JSONB,
  contact_business TEXT,
  contact_technical TEXT,
  folded_nl TEXT NOT NULL,
  folded_fr TEXT NOT NULL,
  folded_de TEXT NOT NULL,
  CONSTRAINT pk_sender_applications PRIMARY KEY (application_id)
);

CREATE TABLE sender_organizations (
  organization_id TEXT NOT NULL,
  short_name JSONB NOT NULL,
  long_name JSONB,
  url JSONB,
  contact_business TEXT,
  contact_technical TEXT,
  folded_nl TEXT NOT NULL,
  folded_fr TEXT NOT NULL,
  folded_de TEXT NOT NULL,
  CONSTRAINT pk_sender_organizations PRIMARY KEY (organization_id)
);

CREATE TABLE sender_configurations (
  organization_id TEXT NOT NULL,
  application_id TEXT NOT NULL,
  message_type_id TEXT NOT NULL,
  CONSTRAINT pk_sender_configurations
    PRIMARY KEY (organization_id, application_id, message_type_id),
  CONSTRAINT fk_sender_configurations_organization_id FOREIGN KEY (organization_id)
    REFERENCES sender_organizations (organization_id),
  CONSTRAINT fk_sender_configurations_application_id FOREIGN KEY (application_id)
    REFERENCES sender_applications (application_id),
  CONSTRAINT fk_sender_configurations_message_type_id FOREIGN KEY (message_type_id)
    REFERENCES message_types (message_type_id)
);

CREATE TABLE images (
  owner_kind TEXT NOT NULL,
  owner_id TEXT NOT NULL,
  image_id TEXT NOT NULL,
  media_type TEXT NOT NULL,
  language TEXT,
  content BYTEA NOT NULL,
  CONSTRAINT pk_images PRIMARY KEY (owner_kind, owner_id, image_id),
  CONSTRAINT ck_images_owner_kind CHECK (owner_kind IN ('application', 'organization'))
);

CREATE TABLE message_templates (
  message_template_id TEXT NOT NULL,
  message_type_id TEXT,
  name JSONB NOT NULL,
  body JSONB,
  CONSTRAINT pk_message_templates PRIMARY KEY (message_template_id),
  CONSTRAINT fk_message_templates_message_type_id FOREIGN KEY (message_type_id)
    REFERENCES message_types (message_type_id)
);

CREATE TABLE messages (
  ebox TEXT NOT NULL,
  message_id UUID NOT NULL,
  received_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL,
  read_at TIMESTAMPTZ,
  is_visible BOOLEAN DEFAULT true NOT NULL,
  is_registered BOOLEAN NOT NULL,
  is_reply_authorized BOOLEAN NOT NULL,
  partition TEXT,
  original_message_id UUID,
  message_type_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  sender_partition TEXT,
  sender_application_id TEXT,
  subject JSONB NOT NULL,
  body JSONB,
  is_body_main BOOLEAN,
  attention JSONB,
  business_data JSONB,
  payment_data JSONB,
  structured_data JSONB,
  action_id TEXT,
  action_label JSONB,
  action_executed_at TIMESTAMPTZ,
  message_template_id TEXT,
  CONSTRAINT pk_messages PRIMARY KEY (ebox, message_id),
  CONSTRAINT ck_messages_body CHECK ((body IS NULL) = (is_body_main IS NULL)),
  CONSTRAINT ck_messages_partition CHECK ((partition IS NULL) = (ebox LIKE 'citizen:%')),
  CONSTRAINT fk_messages_message_type_id FOREIGN KEY (message_type_id)
    REFERENCES message_types (message_type_id),
  CONSTRAINT fk_messages_sender_application_id FOREIGN KEY (sender_application_id)
    REFERENCES sender_applications (application_id),
  CONSTRAINT fk_messages_message_template_id FOREIGN KEY (message_template_id)
    REFERENCES message_templates (message_template_id)
) PARTITION BY HASH (ebox);

CREATE INDEX ix_messages_ebox ON messages (ebox, received_at DESC, message_id DESC);

CREATE INDEX ix_messages_ebox_message_type_id ON messages (ebox, message_type_id);

CREATE INDEX ix_messages_ebox_sender ON messages (ebox, sender);

CREATE INDEX ix_messages_ebox_sender_application_id ON messages (ebox, sender_application_id);

CREATE TABLE attachments (
  ebox TEXT NOT NULL,
  message_id UUID NOT NULL,
  attachment_id TEXT NOT NULL,
  position SMALLINT NOT NULL,
  title JSONB,
  file_name TEXT NOT NULL,
  is_main BOOLEAN NOT NULL,
  media_type TEXT NOT NULL,
  size BIGINT NOT NULL,
  digest TEXT NOT NULL,
  is_signed BOOLEAN NOT NULL,
  blob_key TEXT NOT NULL,
  CONSTRAINT pk_attachments PRIMARY KEY (ebox, message_id, attachment_id),
  CONSTRAINT fk_attachments_ebox FOREIGN KEY (ebox, message_id)
    REFERENCES messages (ebox, message_id) ON DELETE CASCADE
) PARTITION BY HASH (ebox);

CREATE TABLE search_texts (
  ebox TEXT NOT NULL,
  message_id UUID NOT NULL,
  nl TEXT NOT NULL,
  fr TEXT NOT NULL,
  de TEXT NOT NULL,
  CONSTRAINT pk_search_texts PRIMARY KEY (ebox, message_id),
  CONSTRAINT fk_search_texts_ebox FOREIGN KEY (ebox, message_id)
    REFERENCES messages (ebox, message_id) ON DELETE CASCADE
) PARTITION BY HASH (ebox);

CREATE INDEX ix_search_texts_ebox_de ON search_texts USING gin (ebox, de gin_trgm_ops)
  WITH (fastupdate = off);

CREATE INDEX ix_search_texts_ebox_fr ON search_texts USING gin (ebox, fr gin_trgm_ops)
  WITH (fastupdate = off);

CREATE INDEX ix_search_texts_ebox_nl ON search_texts USING gin (ebox, nl gin_trgm_ops)
  WITH (fastupdate = off);

CREATE TABLE sent_messages (
  ebox TEXT NOT NULL,
  message_id UUID NOT NULL,
  partition TEXT NOT NULL,
  recipient TEXT NOT NULL,
  CONSTRAINT pk_sent_messages PRIMARY KEY (ebox, message_id)
) PARTITION BY HASH (ebox);

CREATE TABLE partition_rights (
  ebox TEXT NOT NULL,
  ssin TEXT NOT NULL,
  readable TEXT[] NOT NULL,
  known TEXT[] NOT NULL,
  fetched_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_partition_rights PRIMARY KEY (ebox, ssin)
) PARTITION BY HASH (ebox);

CREATE TABLE outbox (
  ebox TEXT NOT NULL,
  correlation_id UUID NOT NULL,
  type TEXT NOT NULL,
  message_id UUID NOT NULL,
  due_at TIMESTAMPTZ NOT NULL,
  CONSTRAINT pk_outbox PRIMARY KEY (ebox, correlation_id)
) PARTITION BY HASH (ebox);
"""

# LIKE is not leakproof, so under row-level security it never reaches an index. This function has
# the owner's rights and therefore names the e-Box itself, from the same setting as the policies.
_SEARCH = """
CREATE FUNCTION search_messages(language text, pattern text) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 100 SET search_path = {schema}, pg_temp AS $$
DECLARE
  named text := current_setting('registry.ebox', true);
  types text[];
  applications text[];
  organizations text[];
BEGIN
  IF language NOT IN ('nl', 'fr', 'de') THEN
    RAISE invalid_parameter_value USING MESSAGE = 'no texts are kept in this language';
  END IF;
  RETURN QUERY EXECUTE format(
    'SELECT message_id FROM search_texts WHERE ebox = $1 AND %I LIKE $2', language)
    USING named, pattern;
  EXECUTE format('SELECT array_agg(message_type_id) FROM message_types WHERE %I LIKE $1',
    'folded_' || language) INTO types USING pattern;
  EXECUTE format('SELECT array_agg(application_id) FROM sender_applications WHERE %I LIKE $1',
    'folded_' || language) INTO applications USING pattern;
  EXECUTE format('SELECT array_agg(organization_id) FROM sender_organizations WHERE %I LIKE $1',
    'folded_' || language) INTO organizations USING pattern;
  IF types IS NOT NULL THEN
    RETURN QUERY SELECT message_id FROM messages
      WHERE ebox = named AND message_type_id = ANY(types);
  END IF;
  IF applications IS NOT NULL THEN
    RETURN QUERY SELECT message_id FROM messages
      WHERE ebox = named AND sender_application_id = ANY(applications);
  END IF;
  IF organizations IS NOT NULL THEN
    RETURN QUERY SELECT message_id FROM messages
      WHERE ebox = named AND sender = ANY(organizations);
  END IF;
END $$;
"""


def upgrade() -> None:
    """Create everything; the application's role must exist or be ours to create."""
    role = context.config.attributes["application_role"]
    schema = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").scalar_one()
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
    op.execute(
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"
        f' CREATE ROLE "{role}" NOLOGIN; END IF; END $$'
    )
    op.execute(_TABLES)
    for table in _BY_EBOX:
        for remainder in range(_PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_{remainder} PARTITION OF {table}"
                f" FOR VALUES WITH (MODULUS {_PARTITIONS}, REMAINDER {remainder})"
            )
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_ebox ON {table}"
            " USING (ebox = current_setting('registry.ebox', true))"
        )
    op.execute(_SEARCH.format(schema=schema))
    op.execute("REVOKE ALL ON FUNCTION search_messages FROM PUBLIC")
    op.execute(f'GRANT EXECUTE ON FUNCTION search_messages TO "{role}"')
    op.execute(f'GRANT USAGE ON SCHEMA {schema} TO "{role}"')
    for privileges, tables in _GRANTS.items():
        op.execute(f'GRANT {privileges} ON {tables} TO "{role}"')


def downgrade() -> None:
    """Drop everything but the role and the extensions, which others may use."""
    op.execute("DROP FUNCTION search_messages")
    for table in reversed(_BY_EBOX):
        op.execute(f"DROP TABLE {table} CASCADE")
    for table in ("message_templates", "images", "sender_configurations"):
        op.execute(f"DROP TABLE {table}")
    for table in ("sender_organizations", "sender_applications", "message_types"):
        op.execute(f"DROP TABLE {table}")
