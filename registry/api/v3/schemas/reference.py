"""Reference data as version 3 shows it."""

from marshmallow import fields

from registry.api.responses.fields import (
    AnswerSchema,
    Href,
    InlineObject,
    Kilobytes,
    TranslatedText,
)


class ImageSchema(AnswerSchema):
    """A logo."""

    image_id = fields.String(data_key="imageId", required=True)
    size = Kilobytes(required=True)
    media_type = fields.String(data_key="mediaType", required=True)
    language = fields.String()
    content = Href(
        "/refData/sender{0.collection}/{0.owner_id}/images/{0.image_id}/content",
        data_key="contentHref",
        required=True,
    )


class ValiditySchema(AnswerSchema):
    """The time that a message of a type stays."""

    validity_number = fields.Integer(data_key="validityPeriodNumber", required=True)
    validity_unit = fields.String(data_key="validityPeriodUnit", required=True)


class MessageTypeSchema(AnswerSchema):
    """A kind of message."""

    message_type_id = fields.String(data_key="messageTypeId", required=True)
    name = TranslatedText(data_key="messageTypeName", required=True)
    description = TranslatedText(data_key="messageTypeDescription")
    validity = InlineObject(ValiditySchema, data_key="validityPeriod")
    organization_ids = fields.List(fields.String(), data_key="senderOrganizationIds")
    application_ids = fields.List(fields.String(), data_key="senderApplicationIds")


class SenderApplicationSchema(AnswerSchema):
    """An application through which messages are sent."""

    application_id = fields.String(data_key="applicationId", required=True)
    name = TranslatedText(data_key="applicationName", required=True)
    description = TranslatedText(data_key="applicationDescription")
    logos = fields.List(fields.Nested(ImageSchema), data_key="applicationLogos")
    url = TranslatedText(data_key="applicationUrl")
    organization_ids = fields.List(fields.String(), data_key="senderOrganizationIds")
    message_type_ids = fields.List(fields.String(), data_key="messageTypeIds")
    contact_business = fields.String(data_key="contactBusiness")
    contact_technical = fields.String(data_key="contactTechnical")


class SenderOrganizationSchema(AnswerSchema):
    """An organization that sends messages."""

    organization_id = fields.String(data_key="organizationId", required=True)
    short_name = TranslatedText(data_key="organizationShortName", required=True)
    long_name = TranslatedText(data_key="organizationLongName")
    logos = fields.List(fields.Nested(ImageSchema), data_key="organizationLogos")
    url = TranslatedText(data_key="organizationUrl")
    application_ids = fields.List(fields.String(), data_key="senderApplicationIds")
    message_type_ids = fields.List(fields.String(), data_key="messageTypeIds")
    contact_business = fields.String(data_key="contactBusiness")
    contact_technical = fields.String(data_key="contactTechnical")


class MessageTemplateSchema(AnswerSchema):
    """A text that messages of a type are written after (contract 6.12)."""

    message_template_id = fields.String(data_key="messageTemplateId", required=True)
    message_type_id = fields.String(data_key="messageTypeId")
    name = TranslatedText(data_key="templateName", required=True)
    body = TranslatedText(data_key="templateBody")
