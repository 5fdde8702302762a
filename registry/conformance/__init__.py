"""Tests any MessageRegistry by its URL; imports no other room, so that it favours none."""
