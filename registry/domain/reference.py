"""The four lists of reference data."""

from enum import StrEnum


class Catalogue(StrEnum):
    """A list of reference data; its value is the name of the id of its entries."""

    MESSAGE_TYPES = "message_type_id"
    SENDER_APPLICATIONS = "application_id"
    SENDER_ORGANIZATIONS = "organization_id"
    MESSAGE_TEMPLATES = "message_template_id"
