"""Certificates of ours, by which the federation knows a provider or a sender: asked for, and read.

Nothing but cryptography and the rules is needed: senders have this without the service.
"""
