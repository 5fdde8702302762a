"""A registry as somebody writes it in an afternoon, from the names of the contract alone."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

from flask import Flask, Response, abort, jsonify, request

TOKENS = {  # token: (number, may publish)
    "reader": ("0999910048", False),
    "stranger": ("0999920738", False),
    "sender": ("1999930063", True),
}
TYPES = {"letter": {"nl": "Brief", "fr": "Lettre"}}


class Naive:
    """All of it in memory."""

    def __init__(self):
        self.messages, self.documents = {}, {}
        for number in range(8):
            self.add("0999910048", f"Brief nummer {number}", {"a.pdf": b"%PDF-1.4 naive"})

    def add(self, recipient, subject, documents):
        message_id = str(uuid4())
        attachments = []
        for number, (name, content) in enumerate(documents.items(), start=1):
            self.documents[message_id, str(number)] = (name, content)
            attachments.append(
                {
                    "attachmentId": str(number),
                    "fileName": name,
                    "isMainContent": number == 1,
                    "mediaType": "application/pdf",
                    "size": len(content),  # bytes
                    "digest": {
                        # hexadecimal
                        "digestValue": hashlib.sha256(content).hexdigest(),
                        "digestMethod": "sha_256",
                    },
                    "isAttachmentSigned": False,
                    "contentHref": f"/ebox/messages/{message_id}/attachments/{number}/content",
                }
            )
        now = datetime.now(UTC).replace(tzinfo=None)
        self.messages[message_id] = {
            "messageId": message_id,
            "subject": {"nl": subject},  # one language
            "receiptDate": now.isoformat(),  # no offset
            "expirationDate": (now + timedelta(days=90)).isoformat(),
            "isRead": False,
            "isVisible": True,
            "isRegisteredMail": False,
            "messageTypeId": "letter",
            "sender": {"eboxType": "enterprise", "enterpriseNumber": "1999930063"},
            "recipient": {"eboxType": "enterprise", "enterpriseNumber": recipient},
            "senderApplicationId": "app",
            "attachments": {"items": attachments, "totalItems": len(attachments)},
            "isReplyAuthorized": False,
            "bodyMainContent": None,
        }
        return self.messages[message_id]

    def caller(self):
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = token or request.args.get("access_token", "")
        return TOKENS.get(token) or abort(401)

    def list_messages(self):
        number, _ = self.caller()
        items = [
            message
            for message in self.messages.values()  # the oldest first
            if message["recipient"]["enterpriseNumber"] == number
        ]
        if text := request.args.get("q"):
            items = [item for item in items if text in item["subject"]["nl"]]  # case counts
        if kind := request.args.get("messageTypeId"):
            items = [item for item in items if item["messageTypeId"] == kind]
        if not items:
            abort(404)  # instead of an empty list
        page, size = int(request.args.get("page", 1)), int(request.args.get("pageSize", 25))
        shown = items[(page - 1) * size : page * size]
        return jsonify(items=shown, totalItems=len(items))

    def change(self):
        self.caller()  # whoever it is
        for item in request.get_json(force=True)["items"]:
            self.messages[item["messageId"]]["isVisible"] = item["isVisible"]
        return jsonify({})

    def show(self, message_id):
        number, _ = self.caller()
        message = self.messages.get(message_id) or abort(404)
        if message["recipient"]["enterpriseNumber"] != number:
            abort(403)  # so it is there
        message["isRead"] = True  # by a look
        return jsonify(message)

    def attachments(self, message_id):
        self.caller()
        return jsonify(self.messages[message_id]["attachments"])

    def content(self, message_id, attachment_id):
        self.caller()  # of anybody
        name, body = self.documents.get((message_id, attachment_id)) or abort(404)
        headers = {"Content-Disposition": f'inline; filename="{name}"'}
        return Response(body, mimetype="application/pdf", headers=headers)

    def types(self):
        self.caller()
        items = [{"messageTypeId": key, "messageTypeName": name} for key, name in TYPES.items()]
        return jsonify(items=items, totalItems=len(items))

    def one_type(self, kind):
        name = TYPES.get(kind) or abort(404)
        return jsonify(messageTypeId=kind, messageTypeName=name)

    def publish(self):
        _, may_publish = self.caller()
        if not may_publish:
            abort(403)
        message = json.loads(request.form["messageToPublish"])
        documents = {file.filename: file.read() for file in request.files.values()}
        recipient = message["recipient"]["enterpriseNumber"]
        made = self.add(recipient, message["subject"]["nl"], documents)
        return jsonify(messageId=made["messageId"], expirationDate=made["expirationDate"])


ROUTES = {
    "GET /ebox/messages": Naive.list_messages,
    "PATCH /ebox/messages": Naive.change,
    "POST /ebox/messages": Naive.publish,
    "GET /ebox/messages/<message_id>": Naive.show,
    "GET /ebox/messages/<message_id>/attachments": Naive.attachments,
    "GET /ebox/messages/<message_id>/attachments/<attachment_id>/content": Naive.content,
    "GET /refData/messageTypes": Naive.types,
    "GET /refData/messageTypes/<kind>": Naive.one_type,
}


def make_naive_app():
    app, state = Flask("naive"), Naive()
    for words, view in ROUTES.items():
        method, path = words.split()
        app.add_url_rule(f"/v3{path}", words, partial(view, state), methods=[method])

    @app.errorhandler(401)
    def unauthorized(_):
        return jsonify(error="unauthorized"), 401

    @app.after_request
    def let_everybody_in(response):
        response.headers["Access-Control-Allow-Origin"] = "*"
        response.headers["X-Powered-By"] = "Naive/1.0"
        return response

    return app
