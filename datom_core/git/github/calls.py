"""Requests to GitHub's API: retried for a while, with every failure turned into one of our errors."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from datom_core.common import Secret, mask_logs, masked, needing, veiled, without_frames
from datom_core.credentials import TokenSource, ask_token
from datom_core.errors import AccessDeniedError, DatomError, InvalidInputError, StorageError
from datom_core.version import __version__

if TYPE_CHECKING:
    from github import Github, GithubException
    from github.GithubRetry import GithubRetry

# What the token needs: a scope if it is classic, a permission if it is fine-grained.
_NEEDS = {
    "create": ("repo", "Administration: read and write"),
    "delete": ("delete_repo", "Administration: read and write"),
    "inspect": ("repo", "Metadata: read-only"),
}


@dataclass(frozen=True)
class Manners:
    """How often and how fast to call the API.

    Attributes:
        retries: how often to repeat a failed request.
        patience: seconds; do not wait for a rate limit that ends later.
        seconds_between: between two requests of a call.
        timeout: seconds to wait for an answer.
    """

    retries: int
    patience: float
    seconds_between: float
    timeout: int


@contextmanager
def asking(api_url: str, token: TokenSource, manners: Manners, action: str, resource: str) -> Iterator[Github]:
    """PyGithub's client for one call of ours.

    Args:
        action: ``create``, ``delete``, ``inspect``, or ``log in to``.
        resource: what it is done to, for errors.

    Raises:
        AccessDeniedError: the token is not accepted, or lacks what the action needs.
        InvalidInputError: the API rejected an argument, or is not at this URL.
        StorageError: a limit, a failing server, a broken connection.
    """
    with needing("GitHub's API", "github"):
        from github import BadAttributeException, GithubException
        from requests import RequestException

    token = veiled(token)
    secret = ask_token(token)  # held to the end: while it lives, `masked` knows it
    client = _client(api_url, secret, manners)
    _mask_loggers()
    failed: DatomError
    try:
        yield client
        return
    except DatomError:
        raise
    except GithubException as error:
        without_frames(error)
        failed = _translated(error, action, resource, api_url)
        _forget_answer(error)
    except RequestException as error:
        without_frames(error)
        failed = StorageError(f"GitHub at {api_url} could not {action} {resource}: {_reason(error)}. Try again.")
    except (BadAttributeException, ValueError, RecursionError) as error:
        without_frames(error)
        failed = StorageError(f"What answers at {api_url} is not GitHub's API. Check api_url.")
    except RuntimeError as error:
        without_frames(error)
        # How PyGithub reports a redirect to another host or protocol; it does not follow it.
        failed = InvalidInputError(f"GitHub at {api_url} answers: {masked(str(error))}. Check api_url.")
    except BaseException as error:
        without_frames(error)
        raise
    finally:
        client.close()
    # Not chained to theirs: it holds the request with its headers, and the answer, which may repeat the token.
    raise failed from None


def _client(api_url: str, token: Secret, manners: Manners) -> Github:
    from github import Auth, Github

    return Github(
        base_url=api_url,
        auth=Auth.Token(token.reveal()),
        retry=_retry(manners),
        timeout=manners.timeout,
        user_agent=f"datom/{__version__}",
        seconds_between_requests=manners.seconds_between,
        seconds_between_writes=manners.seconds_between,
    )


def _forget_answer(error: GithubException) -> None:
    """Remove what the server said, which may repeat the token, from an error that frames still hold."""
    kept = {name: None for name in vars(error) if name.endswith(("__data", "__message", "__headers"))}
    vars(error).update(kept)
    error.args = error.args[:1]


def _mask_loggers() -> None:
    for name in ("github.Requester", "github.GithubRetry", "urllib3.connectionpool"):
        logging.getLogger(name)  # created here, or it would be created without the filter
    mask_logs("github", "requests", "urllib3")


def _retry(manners: Manners) -> GithubRetry:
    from github import GithubException
    from github.GithubRetry import GithubRetry

    class Bounded(GithubRetry):
        """PyGithub's class, which would wait for a limit however late it ends, up to a day."""

        def increment(self, method: Any = None, url: Any = None, response: Any = None, *args: Any, **kw: Any) -> Any:
            headers = {name.lower(): value for name, value in response.headers.items()} if response else {}
            if _wait_of(headers) > manners.patience:
                response.close()
                raise GithubException(response.status, None, headers)
            return super().increment(method, url, response, *args, **kw)

    return Bounded(
        total=manners.retries,
        backoff_factor=2 * manners.seconds_between,
        secondary_rate_wait=manners.patience,
    )


def _wait_of(headers: Mapping[str, str]) -> float:
    """How many seconds the server asks us to wait."""
    later = headers.get("retry-after", "")
    if later.isdigit():
        return float(later)
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return max(float(reset) - time.time(), 0.0)
    return 0.0


def _translated(error: GithubException, action: str, resource: str, api_url: str) -> DatomError:
    headers = {name.lower(): value for name, value in (error.headers or {}).items()}
    said = f"(GitHub: {error.status} {_message(error)})".replace(" )", ")")
    if error.status == 429 or headers.get("retry-after") or headers.get("x-ratelimit-remaining") == "0":
        until = datetime.fromtimestamp(time.time() + _wait_of(headers), UTC)
        return StorageError(
            f"GitHub could not {action} {resource}: the limit of requests is reached until {until:%Y-%m-%d %H:%M:%S} "
            f"UTC. Try again then. {said}",
            retry_at=until.isoformat(),
        )
    if error.status == 401:
        return AccessDeniedError(
            f"GitHub at {api_url} does not accept the token: it is wrong, revoked or expired. Make a new one. {said}",
            action=action,
            resource=resource,
        )
    if error.status in (403, 404):
        return AccessDeniedError(
            f"Not allowed to {action} {resource}. {_lacking(action, headers)} {said}", action=action, resource=resource
        )
    if error.status == 422:
        return InvalidInputError(f"GitHub turned down to {action} {resource}. Change what it names. {said}")
    return StorageError(f"GitHub could not {action} {resource}. Try again. {said}")


def _lacking(action: str, headers: Mapping[str, str]) -> str:
    scope, permission = _NEEDS.get(action, _NEEDS["inspect"])
    admin = "whoever owns it must be allowed to do it in that account, and an organization must have admitted the token"
    if "x-oauth-scopes" not in headers:  # which GitHub sends only for classic tokens
        return f'A fine-grained token needs "{permission}" (a classic one the scope `{scope}`); {admin}.'
    held = headers["x-oauth-scopes"] or "none"
    accepted = headers.get("x-accepted-oauth-scopes") or scope
    return (
        f"The token has the scopes {held}; {accepted} is accepted, and `{scope}` is what datom needs (a fine-grained "
        f'token: "{permission}"); {admin}.'
    )


def _message(error: GithubException) -> str:
    data: Any = error.data
    if not isinstance(data, Mapping):
        return ""
    told = [data.get("message"), *(e.get("message") for e in data.get("errors") or () if isinstance(e, Mapping))]
    return masked("; ".join(str(text) for text in told if text))[:300]


def _reason(error: Exception) -> str:
    inner = error.args[0] if error.args else error
    return masked(str(getattr(inner, "reason", None) or inner or type(error).__name__))[:300]
