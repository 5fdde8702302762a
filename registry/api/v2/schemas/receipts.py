"""Answers of version 2.1 to senders, and to requests that fail."""

from marshmallow import fields

from registry.api.responses.fields import AnswerSchema, Instant


class ReceiptSchema(AnswerSchema):
    """A publication that was filed (contract 1.3)."""

    message_id = fields.UUID(data_key="messageId", required=True)
    expires_at = Instant(data_key="expirationDate", required=True)
    code = fields.String()
    message = fields.String()


class EboxSchema(AnswerSchema):
    """An e-Box, by the number of its owner."""

    kind = fields.String(data_key="eboxType", required=True)
    number = fields.String(data_key="eboxIdValue", required=True)


class BroadcastSchema(AnswerSchema):
    """A broadcast."""

    message_id = fields.UUID(data_key="messageId")
    expires_at = Instant(data_key="expirationDate")
    links = fields.Integer(data_key="nbSuccessLinks")
    refusals = fields.List(fields.Nested(EboxSchema), data_key="errorCases")


class StatusSchema(AnswerSchema):
    """The status of a message in one e-Box."""

    message_id = fields.UUID(data_key="messageId", required=True)
    recipient = fields.Nested(EboxSchema, data_key="eboxId", required=True)
    expires_at = Instant(data_key="expirationDate")
    is_read = fields.Boolean(data_key="readStatus", required=True)
    is_visible = fields.Boolean(data_key="visible")
    withdrawn_at = Instant(data_key="withdrawalDate")


class StatusMessageSchema(AnswerSchema):
    """An error."""

    occurrence = fields.UUID(data_key="id", required=True)
    code = fields.String(required=True)
    message = fields.String(required=True)
    contact = fields.String()
    environment = fields.String()
