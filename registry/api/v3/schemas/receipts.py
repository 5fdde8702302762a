"""Answers of version 3 to senders."""

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
    enterprise_number = fields.String(data_key="enterpriseNumber")
    ssin = fields.String()


class BroadcastSchema(AnswerSchema):
    """A broadcast (contract 6.34)."""

    message_id = fields.UUID(data_key="messageId", required=True)
    expires_at = Instant(data_key="expirationDate", required=True)
    links = fields.Integer(data_key="nbSuccessLinks", required=True)
    refusals = fields.List(fields.Nested(EboxSchema), data_key="errorCases", required=True)


class StatusSchema(AnswerSchema):
    """The status of a message in one e-Box."""

    message_id = fields.UUID(data_key="messageId", required=True)
    recipient = fields.Nested(EboxSchema, required=True)
    expires_at = Instant(data_key="expirationDate")
    is_read = fields.Boolean(data_key="isRead", required=True)
    is_visible = fields.Boolean(data_key="isVisible")
    withdrawn_at = Instant(data_key="withdrawalDate")
