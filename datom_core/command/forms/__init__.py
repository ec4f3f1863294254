"""What verbs answer in JSON: one class per form, so that a form has one definition, which docs and tests read too."""

from datom_core.command.forms.base import Answer, ErrorAnswer, plain

__all__ = ["Answer", "ErrorAnswer", "plain"]
